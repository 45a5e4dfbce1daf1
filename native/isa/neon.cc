// NEON, which every arm64 processor has: no target region.
#include "../kernels.h"
#if NABLA_ARM64
#include <arm_neon.h>

#include <cmath>
#include <cstring>

#include "../pool.h"

#define NABLA_ISA neon
#include "../simd/neon.h"
#include "table.h"
#endif
