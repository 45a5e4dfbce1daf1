import { value } from "../core/boundary.ts";
import * as ops from "../ops/index.ts";
import { multinomial as draw, type Replacement } from "../ops/multinomial.ts";
import type { Shape } from "../types/shape.ts";
import { leaf, type Options, sized } from "./create.ts";
import type { Tensor } from "./tensor.ts";

type Floats = "f32" | "f64";

/**
 * Starts the generator of all random numbers anew: those that follow are a function of the seed, the same with any number
 * of threads and on any instruction set. A program that never calls it draws the numbers of seed 0. `torch.manual_seed`.
 * Throws ERR_NABLA_VALUE for anything but a whole number from 0.
 * ```ts
 * import { randn, seed } from "nabla";
 * seed(42);
 * const x = randn(3);
 * seed(42);
 * console.log(randn(3).equal(x)); // true
 * ```
 */
export function seed(n: number | bigint): void {
  ops.manualSeed(n);
}

/**
 * Calls f with a generator of its own, begun with a seed; the generator outside goes on as if f had drawn nothing.
 * `torch.random.fork_rng`. Throws ERR_NABLA_TYPE for an async function, ERR_NABLA_COMPILE inside a compiled step.
 * ```ts
 * import { forkRng, randn, seed } from "nabla";
 * seed(1);
 * const x = forkRng(42, () => randn(3));
 * seed(42);
 * console.log(randn(3).equal(x)); // true
 * ```
 */
export function forkRng<R>(seed: number | bigint, f: () => R): R {
  return ops.forkRng(seed, f);
}

/**
 * Uniform in [0, 1). `torch.rand`. Throws ERR_NABLA_DTYPE for integers, and as zeros does.
 * ```ts
 * import { rand } from "nabla";
 * console.log(rand(1000).lt(1).sum().item()); // 1000
 * ```
 */
export function rand<const S extends Shape>(...shape: S): Tensor<S, "f32">;
export function rand<const S extends Shape, E extends Floats = "f32">(
  shape: readonly [...S],
  options?: Options<E>,
): Tensor<S, E>;
export function rand(...args: unknown[]): unknown {
  const [shape, options] = sized(args);
  return leaf("rand", options, (dtype) => ops.uniform(shape, 0, 1, dtype));
}

/**
 * Normal, with mean 0 and variance 1. `torch.randn`. Throws ERR_NABLA_DTYPE for integers, and as zeros does.
 * ```ts
 * import { randn } from "nabla";
 * console.log(randn([2, 3], { dtype: "f64" }).shape); // [ 2, 3 ]
 * ```
 */
export function randn<const S extends Shape>(...shape: S): Tensor<S, "f32">;
export function randn<const S extends Shape, E extends Floats = "f32">(
  shape: readonly [...S],
  options?: Options<E>,
): Tensor<S, E>;
export function randn(...args: unknown[]): unknown {
  const [shape, options] = sized(args);
  return leaf("randn", options, (dtype) => ops.normal(shape, 0, 1, dtype));
}

/**
 * Whole numbers from low to high - 1, i32. `torch.randint`. Throws ERR_NABLA_VALUE unless low < high.
 * ```ts
 * import { randint } from "nabla";
 * console.log(randint(0, 10, [1000]).ge(10).sum().item()); // 0
 * ```
 */
export function randint<const S extends Shape>(low: number, high: number, shape: readonly [...S]): Tensor<S, "i32"> {
  return ops.randint(shape, low, high) as Tensor<S, "i32">;
}

/**
 * 0, ..., n - 1 in random order, i32. `torch.randperm`.
 * ```ts
 * import { randperm } from "nabla";
 * console.log(randperm(5).sum().item()); // 10
 * ```
 */
export function randperm<const N extends number>(n: N): Tensor<[N], "i32"> {
  return ops.randperm(n) as Tensor<[N], "i32">;
}

/**
 * 1 with the probability that each element of p is, else 0. `torch.bernoulli`.
 * ```ts
 * import { bernoulli, tensor } from "nabla";
 * console.log(bernoulli(tensor([0, 1]))); // tensor([0., 1.])
 * ```
 */
export function bernoulli<S extends Shape, E extends Floats>(p: Tensor<S, E>): Tensor<S, E> {
  return ops.bernoulli(value("bernoulli", "p", p)) as Tensor<S, E>;
}

/**
 * Positions drawn with probability p / Σ p along the last dim, i32, each at most once unless with replacement.
 * `torch.multinomial`. Throws ERR_NABLA_VALUE for weights below 0, or fewer above 0 than are to be drawn.
 * ```ts
 * import { multinomial, tensor } from "nabla";
 * console.log(multinomial(tensor([0, 1, 0]), 2, { replacement: true })); // tensor([1, 1], { dtype: "i32" })
 * ```
 */
export function multinomial(p: Tensor, samples: number, options?: Replacement): Tensor<Shape, "i32"> {
  return draw(value("multinomial", "p", p), samples, options) as Tensor<Shape, "i32">;
}
