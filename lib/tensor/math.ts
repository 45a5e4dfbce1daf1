import {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  ceil,
  cos,
  cosh,
  deg2rad,
  erf,
  erfc,
  erfinv,
  exp,
  exp2,
  expm1,
  type Finite,
  floor,
  frac,
  log,
  log1p,
  log2,
  log10,
  logit,
  nanToNum,
  rad2deg,
  reciprocal,
  roundTo,
  rsqrt,
  sign,
  signbit,
  sin,
  sinc,
  sinh,
  sqrt,
  square,
  tan,
  trunc,
} from "../ops/index.ts";
import type { DType, Floating, Shape, Summed } from "../types/shape.ts";
import type { Methods } from "./install.ts";
import type { Tensor } from "./tensor.ts";

/** Functions of one number, by element. Integers are computed as f32, except where the result is whole. */
export interface MathFunctions {
  /**
   * y = eˣ. `torch.exp`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).exp()); // tensor([1.0000, 2.7183])
   * ```
   */
  exp<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = 2ˣ. `torch.exp2`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([3, 0.5]).exp2()); // tensor([8.0000, 1.4142])
   * ```
   */
  exp2<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = eˣ - 1, exact near 0. `torch.expm1`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).expm1()); // tensor([0.0000, 1.7183])
   * ```
   */
  expm1<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = ln x; NaN below 0. `torch.log`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 10]).log()); // tensor([0.0000, 2.3026])
   * ```
   */
  log<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = log₂ x; NaN below 0. `torch.log2`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([8, 10]).log2()); // tensor([3.0000, 3.3219])
   * ```
   */
  log2<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = log₁₀ x; NaN below 0. `torch.log10`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([100, 2]).log10()); // tensor([2.0000, 0.3010])
   * ```
   */
  log10<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = ln(1 + x), exact near 0; NaN below -1. `torch.log1p`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).log1p()); // tensor([0.0000, 0.6931])
   * ```
   */
  log1p<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = √x; NaN below 0. `torch.sqrt`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([4, 2]).sqrt()); // tensor([2.0000, 1.4142])
   * ```
   */
  sqrt<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = 1 / √x. `torch.rsqrt`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([4, 2]).rsqrt()); // tensor([0.5000, 0.7071])
   * ```
   */
  rsqrt<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = x², in i32 too. `torch.square`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([3, -2]).square()); // tensor([9., 4.])
   * ```
   */
  square<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Summed<E>>;
  /**
   * y = 1 / x. `torch.reciprocal`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([4, -2]).reciprocal()); // tensor([ 0.2500, -0.5000])
   * ```
   */
  reciprocal<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = sin x, in radians. `torch.sin`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).sin()); // tensor([0.0000, 0.8415])
   * ```
   */
  sin<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = cos x, in radians. `torch.cos`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).cos()); // tensor([1.0000, 0.5403])
   * ```
   */
  cos<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = tan x, in radians. `torch.tan`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).tan()); // tensor([0.0000, 1.5574])
   * ```
   */
  tan<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = arcsin x; NaN outside [-1, 1]. `torch.asin`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).asin()); // tensor([0.0000, 1.5708])
   * ```
   */
  asin<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = arccos x; NaN outside [-1, 1]. `torch.acos`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).acos()); // tensor([1.5708, 0.0000])
   * ```
   */
  acos<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = arctan x. `torch.atan`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).atan()); // tensor([0.0000, 0.7854])
   * ```
   */
  atan<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = (eˣ - e⁻ˣ) / 2. `torch.sinh`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).sinh()); // tensor([0.0000, 1.1752])
   * ```
   */
  sinh<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = (eˣ + e⁻ˣ) / 2. `torch.cosh`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).cosh()); // tensor([1.0000, 1.5431])
   * ```
   */
  cosh<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = ln(x + √(x² + 1)). `torch.asinh`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).asinh()); // tensor([0.0000, 0.8814])
   * ```
   */
  asinh<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = ln(x + √(x² - 1)); NaN below 1. `torch.acosh`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, 2]).acosh()); // tensor([0.0000, 1.3170])
   * ```
   */
  acosh<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = ½ ln((1 + x) / (1 - x)); NaN outside [-1, 1]. `torch.atanh`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 0.5]).atanh()); // tensor([0.0000, 0.5493])
   * ```
   */
  atanh<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = 2/√π ∫₀ˣ e^(-t²) dt. `torch.erf`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).erf()); // tensor([0.0000, 0.8427])
   * ```
   */
  erf<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = 1 - erf x, exact for large x. `torch.erfc`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 1]).erfc()); // tensor([1.0000, 0.1573])
   * ```
   */
  erfc<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * The x for which erf gives this; NaN outside [-1, 1]. `torch.erfinv`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 0.5]).erfinv()); // tensor([0.0000, 0.4769])
   * ```
   */
  erfinv<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = sin(πx) / (πx), 1 at 0. `torch.sinc`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0, 0.5]).sinc()); // tensor([1.0000, 0.6366])
   * ```
   */
  sinc<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * The largest whole number that is not above x. Gradient 0. `torch.floor`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1.7, -1.7]).floor()); // tensor([ 1., -2.])
   * ```
   */
  floor<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Summed<E>>;
  /**
   * The smallest whole number that is not below x. Gradient 0. `torch.ceil`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1.2, -1.7]).ceil()); // tensor([ 2., -1.])
   * ```
   */
  ceil<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Summed<E>>;
  /**
   * The nearest number of that many decimals, halves to the even one; none unless given, tens for -1. Gradient 0.
   * `torch.round`. Throws ERR_NABLA_VALUE for decimals that are not whole.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0.5, 1.5, 2.6]).round()); // tensor([0., 2., 3.])
   * console.log(tensor([0.1234]).round(2)); // tensor([0.1200])
   * ```
   */
  round<A extends Shape, E extends DType>(this: Tensor<A, E>, decimals?: number): Tensor<A, Summed<E>>;
  /**
   * x without its fraction. Gradient 0. `torch.trunc`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1.7, -1.7]).trunc()); // tensor([ 1., -1.])
   * ```
   */
  trunc<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Summed<E>>;
  /**
   * The fraction of x, with its sign. `torch.frac`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1.75, -1.5]).frac()); // tensor([ 0.7500, -0.5000])
   * ```
   */
  frac<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * -1, 0 or 1. Gradient 0. `torch.sign`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([-3, 0, 5]).sign()); // tensor([-1., 0., 1.])
   * ```
   */
  sign<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Summed<E>>;
  /**
   * Where x has a minus sign, which -0 has too. `torch.signbit`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([1, -0]).signbit()); // tensor([false,  true])
   * ```
   */
  signbit<A extends Shape>(this: Tensor<A>): Tensor<A, "bool">;
  /**
   * y = ln(x / (1 - x)), the inverse of sigmoid; x is first kept within [eps, 1 - eps] where eps is given. `torch.logit`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([0.5, 0.75]).logit()); // tensor([0.0000, 1.0986])
   * ```
   */
  logit<A extends Shape, E extends DType>(this: Tensor<A, E>, eps?: number): Tensor<A, Floating<E>>;
  /**
   * x, with `nan` (0) for NaN, `posinf` for ∞ and `neginf` for -∞, the largest numbers there are unless given. Gradient
   * 0 there. `torch.nan_to_num`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([NaN, Infinity, 1]).nanToNum({ posinf: 9 })); // tensor([0., 9., 1.])
   * ```
   */
  nanToNum<A extends Shape, E extends DType>(this: Tensor<A, E>, finite?: Finite): Tensor<A, E>;
  /**
   * y = x · π / 180. `torch.deg2rad`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([180]).deg2rad()); // tensor([3.1416])
   * ```
   */
  deg2rad<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
  /**
   * y = x · 180 / π. `torch.rad2deg`.
   * ```ts
   * import { tensor } from "nabla";
   * console.log(tensor([Math.PI]).rad2deg()); // tensor([180.])
   * ```
   */
  rad2deg<A extends Shape, E extends DType>(this: Tensor<A, E>): Tensor<A, Floating<E>>;
}

export const mathFunctions: Methods<MathFunctions> = {
  exp: (x) => exp({ x }),
  exp2: (x) => exp2({ x }),
  expm1: (x) => expm1({ x }),
  log: (x) => log({ x }),
  log2: (x) => log2({ x }),
  log10: (x) => log10({ x }),
  log1p: (x) => log1p({ x }),
  sqrt: (x) => sqrt({ x }),
  rsqrt: (x) => rsqrt({ x }),
  square: (x) => square({ x }),
  reciprocal: (x) => reciprocal({ x }),
  sin: (x) => sin({ x }),
  cos: (x) => cos({ x }),
  tan: (x) => tan({ x }),
  asin: (x) => asin({ x }),
  acos: (x) => acos({ x }),
  atan: (x) => atan({ x }),
  sinh: (x) => sinh({ x }),
  cosh: (x) => cosh({ x }),
  asinh: (x) => asinh({ x }),
  acosh: (x) => acosh({ x }),
  atanh: (x) => atanh({ x }),
  erf: (x) => erf({ x }),
  erfc: (x) => erfc({ x }),
  erfinv: (x) => erfinv({ x }),
  sinc: (x) => sinc({ x }),
  floor: (x) => floor({ x }),
  ceil: (x) => ceil({ x }),
  round: (x, decimals?: number) => roundTo(x, decimals),
  trunc: (x) => trunc({ x }),
  frac: (x) => frac({ x }),
  sign: (x) => sign({ x }),
  signbit: (x) => signbit({ x }),
  logit: (x, eps?: number) => logit(x, eps),
  nanToNum: (x, finite?: Finite) => nanToNum(x, finite),
  deg2rad: (x) => deg2rad(x),
  rad2deg: (x) => rad2deg(x),
};
