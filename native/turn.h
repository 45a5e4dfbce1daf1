#pragma once
#include "args.h"

namespace nabla {

// Runs a copy whose source lies turned, or says that this is none or better taken as it lies.
bool run_turned(const Bound& call);

}  // namespace nabla
