// The oracle: every kernel with one lane and no target region.
#include <cmath>
#include <cstring>

#include "../kernels.h"
#include "../pool.h"

#define NABLA_ISA scalar
#include "../simd/scalar.h"
#include "table.h"
