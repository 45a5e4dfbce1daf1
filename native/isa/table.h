// Includes every kernel file and fills this instruction set's table. A missing kernel or a wrong signature does not
// compile.
#pragma once
#include "../kernels/activation.h"
#include "../kernels/arithmetic.h"
#include "../kernels/attention.h"
#include "../kernels/channel.h"
#include "../kernels/clip.h"
#include "../kernels/gemm.h"
#include "../kernels/half.h"
#include "../kernels/integer.h"
#include "../kernels/loss.h"
#include "../kernels/math.h"
#include "../kernels/matmul.h"
#include "../kernels/measure.h"
#include "../kernels/narrow.h"
#include "../kernels/norm.h"
#include "../kernels/optimizer.h"
#include "../kernels/pairs.h"
#include "../kernels/pooling.h"
#include "../kernels/prepack.h"
#include "../kernels/random.h"
#include "../kernels/recurrent.h"
#include "../kernels/reduce.h"
#include "../kernels/rows.h"
#include "../kernels/scan.h"
#include "../kernels/select.h"
#include "../kernels/sort.h"
#include "../kernels/turn.h"
#include "../kernels/warp.h"

#define NABLA_GLUE(a, b) a##b
#define NABLA_TABLE_NAME(isa) NABLA_GLUE(isa, _table)
#define NABLA_TEXT_OF(x) #x
#define NABLA_TEXT(x) NABLA_TEXT_OF(x)
#define NABLA_ENTRY(T, name) reinterpret_cast<Kernel>(static_cast<signature::name<T>*>(&NABLA_ISA::name<T>)),

namespace nabla {
extern const Table NABLA_TABLE_NAME(NABLA_ISA) = {NABLA_TEXT(NABLA_ISA),
                                                  {
#define OP(name, types, driver, shapes, params) NABLA_##types(NABLA_ENTRY, name)
#include "../ops.def"
#undef OP
                                                  }};
}  // namespace nabla
