// Gradients as functions: of tensors that were computed, of functions, and checked against differences.
import { checkKind, only, value } from "./core/boundary.ts";
import { fail } from "./core/errors.ts";
import { Value } from "./core/value.ts";
import { elementsOf } from "./engine/launch.ts";
import { gradEnabled, type WalkOptions, walk, withGrad } from "./engine/tape.ts";
import { add, cast, contiguous, copy, fromArray, mul, sum, zeros } from "./ops/index.ts";
import { seedOf } from "./tensor/autograd.ts";
import type { Tensor } from "./tensor/tensor.ts";
import type { DType, Shape } from "./types/shape.ts";

function switched<R>(op: string, on: boolean, f: () => R): R {
  checkKind(op, "the argument", f, "function");
  const result = withGrad(on, f);
  if (typeof (result as { then?: unknown } | null | undefined)?.then === "function")
    fail("ERR_NABLA_TYPE", op, "takes a function that returns at once, this one gives a promise", {
      hint: `what follows an await would run outside: wrap the parts between them, await f(${op}(() => ...))`,
    });
  return result;
}
/**
 * Runs f with nothing recorded for backward(): results require no gradients, and nothing is kept. `torch.no_grad`. Throws
 * ERR_NABLA_TYPE for an async function, which would go on outside.
 * ```ts
 * import { noGrad, ones } from "nabla";
 * const w = ones([2], { requiresGrad: true });
 * console.log(noGrad(() => w.mul(2)).requiresGrad); // false
 * ```
 */
export function noGrad<R>(f: () => R): R {
  return switched("noGrad", false, f);
}
/**
 * Runs f with recording on, inside a noGrad. `torch.enable_grad`. Throws ERR_NABLA_TYPE for an async function.
 * ```ts
 * import { enableGrad, noGrad, ones } from "nabla";
 * const w = ones([2], { requiresGrad: true });
 * console.log(noGrad(() => enableGrad(() => w.mul(2))).requiresGrad); // true
 * ```
 */
export function enableGrad<R>(f: () => R): R {
  return switched("enableGrad", true, f);
}

export interface GradientOptions extends WalkOptions {
  /** The gradient each output starts from; needed for outputs of more than one element. */
  gradOutputs?: Tensor | readonly (Tensor | undefined)[];
  /** Gives undefined for an input that no output depends on, where otherwise an error is thrown. */
  allowUnused?: boolean;
}
type Outputs = Tensor | readonly Tensor[];
type Filled<T extends readonly Tensor[]> = {
  [K in keyof T]: T[K] extends Tensor<infer S, infer D> ? Tensor<S, D> : Tensor;
};

/**
 * d Σ outputs / d inputs, without touching any `grad`: one tensor for one input, a list for a list. `torch.autograd.grad`.
 * Throws ERR_NABLA_GRAD for an input that no output depends on, unless allowUnused.
 * ```ts
 * import { gradients, tensor } from "nabla";
 * const x = tensor(3, { requiresGrad: true });
 * const dx = gradients(x.mul(x).mul(x), x, { createGraph: true });
 * console.log(dx.item(), gradients(dx, x).item()); // 27 18
 * ```
 */
export function gradients<S extends Shape, D extends DType>(
  outputs: Outputs,
  input: Tensor<S, D>,
  options?: GradientOptions & { allowUnused?: false },
): Tensor<S, D>;
export function gradients<T extends readonly Tensor[]>(
  outputs: Outputs,
  inputs: readonly [...T],
  options?: GradientOptions & { allowUnused?: false },
): Filled<T>;
export function gradients<T extends readonly Tensor[]>(
  outputs: Outputs,
  inputs: readonly [...T],
  options: GradientOptions,
): (Tensor | undefined)[];
export function gradients(outputs: Outputs, inputs: Outputs, options: GradientOptions = {}): unknown {
  only("gradients", options, ["retain", "createGraph", "gradOutputs", "allowUnused"]);
  const [ys, xs] = [[outputs].flat() as Tensor[], [inputs].flat() as Tensor[]];
  const seeds = [options.gradOutputs].flat();
  if (options.gradOutputs !== undefined && seeds.length !== ys.length)
    fail("ERR_NABLA_VALUE", "gradients", `${seeds.length} gradients for ${ys.length} outputs`, {
      expected: ys.length,
      actual: seeds.length,
    });
  xs.forEach((x, i) => {
    if (!(x instanceof Value) || !x.requiresGrad)
      fail("ERR_NABLA_GRAD", "gradients", `input ${i} does not require gradients`, { values: { input: x } });
  });
  const roots = ys.map((y, i) => ({ value: y, grad: seedOf("gradients", y, seeds[i]) }));
  const found = walk(roots, xs, options);
  const missing = options.allowUnused ? -1 : found.indexOf(undefined);
  if (missing >= 0)
    fail("ERR_NABLA_GRAD", "gradients", `no output depends on input ${missing}`, {
      values: { input: xs[missing] },
      hint: "pass { allowUnused: true } to get undefined for it",
    });
  return Array.isArray(inputs) ? found : found[0];
}

export interface TransformOptions<I> {
  /** Which arguments to differentiate by: one, or a list. The first unless given. */
  argnums?: I;
  /** Record the gradients too. On its own where an argument requires gradients, as in grad(grad(f)). */
  createGraph?: boolean;
}
type Picked<A extends unknown[], I> = I extends number ? A[I] : { [K in keyof I]: A[I[K] & number] };

/** f with the chosen arguments as fresh leaves, and the gradients of its result by them. */
function differentiate(op: string, f: (...args: never[]) => Value, args: unknown[], chosen: number[], graph?: boolean) {
  const given = chosen.map((i) => value(op, `argument ${i}`, args[i]));
  const nested = gradEnabled() && given.some((x) => x.requiresGrad);
  const createGraph = graph ?? nested;
  return withGrad(true, () => {
    const leaves = given.map((x) => {
      const leaf = nested && x.requiresGrad ? copy(x) : (x as Tensor).detach();
      leaf.requiresGrad = true;
      return leaf;
    });
    const y = value(
      op,
      "the function's result",
      f(...(args.map((x, i) => (chosen.includes(i) ? leaves[chosen.indexOf(i)] : x)) as never[])),
    );
    const found = y.requiresGrad ? walk([{ value: y, grad: seedOf(op, y, undefined) }], leaves, { createGraph }) : [];
    const grads = leaves.map((x, i) => found[i] ?? zeros(x.shape, x.dtype));
    return { value: createGraph ? y : (y as Tensor).detach(), grads };
  });
}

function transform<A extends Tensor[], R, I>(
  op: string,
  f: (...args: A) => R,
  options: TransformOptions<I>,
): (...args: A) => [R, Picked<A, I>] {
  const { argnums, createGraph } = only(op, options, ["argnums", "createGraph"]);
  const chosen = [argnums ?? 0].flat() as number[];
  return (...args) => {
    const { value, grads } = differentiate(op, f as never, args, chosen, createGraph);
    return [value, Array.isArray(argnums) ? grads : grads[0]] as never;
  };
}

/**
 * The function that gives value and gradient of f: [f(x), d f / d x]. `torch.func.grad_and_value`, value first. Throws
 * ERR_NABLA_GRAD unless f gives one number.
 * ```ts
 * import { tensor, valueAndGrad } from "nabla";
 * const [y, dy] = valueAndGrad((x) => x.mul(x).sum())(tensor([1, 2]));
 * console.log(y, dy); // tensor(5.) tensor([2., 4.])
 * ```
 */
export function valueAndGrad<A extends Tensor[], R extends Tensor, const I extends number | readonly number[] = 0>(
  f: (...args: A) => R,
  options: TransformOptions<I> = {},
): (...args: A) => [R, Picked<A, I>] {
  return transform("valueAndGrad", f, options);
}

/**
 * The function that gives the gradient of f: x -> d f / d x. Applied twice it gives the second derivative; what f does
 * not depend on has gradient 0. `torch.func.grad`. For tensors that are already computed see {@link gradients}. Throws
 * ERR_NABLA_GRAD unless f gives one number.
 * ```ts
 * import { grad, type Tensor, tensor } from "nabla";
 * const cube = (x: Tensor) => x.mul(x).mul(x).sum();
 * console.log(grad(cube)(tensor(2)).item(), grad(grad(cube))(tensor(2)).item()); // 12 12
 * ```
 */
export function grad<A extends Tensor[], R extends Tensor, const I extends number | readonly number[] = 0>(
  f: (...args: A) => R,
  options: TransformOptions<I> = {},
): (...args: A) => Picked<A, I> {
  const both = transform("grad", f, options);
  return (...args) => both(...args)[1];
}

export interface CheckOptions {
  /** The step of the differences; 1e-6 unless given. */
  eps?: number;
  /** |gradient - difference| <= atol + rtol |difference|; 1e-5 and 1e-3 unless given. */
  atol?: number;
  rtol?: number;
  /** 2 checks the gradient of the gradient as well. */
  order?: 1 | 2;
}
type Checked = (...inputs: Tensor[]) => Outputs;

/** Σ over outputs and elements of w · output, with weights that differ so that errors do not cancel. */
function weighed(outputs: Outputs): Value {
  const parts = ([outputs].flat() as unknown[]).map((given) => {
    const y = value("checkGradient", "what the function gives", given);
    const w = Float64Array.from({ length: y.size }, (_, i) => 1 + 0.5 * Math.sin(1 + 2.3 * i));
    return sum(mul({ a: cast(y, "f64"), b: fromArray(w, y.shape) }));
  });
  return parts.reduce((a, b) => add({ a, b }));
}

const positionOf = (flat: number, shape: readonly number[]): number[] =>
  shape.reduceRight<[number[], number]>(([at, rest], n) => [[rest % n, ...at], Math.floor(rest / n)], [[], flat])[0];

/**
 * Compares the gradients of f with central differences, (f(x + eps) - f(x - eps)) / 2 eps, in f64: float inputs are
 * converted, others passed as they are. True, or an error that tells the first element that differs.
 * `torch.autograd.gradcheck`, and `gradgradcheck` for order 2. Throws ERR_NABLA_GRAD where they differ.
 * ```ts
 * import { checkGradient, tensor } from "nabla";
 * console.log(checkGradient((x, y) => x.mul(y).sum(0), [tensor([1, 2]), tensor([[3, 4]])], { order: 2 })); // true
 * ```
 */
export function checkGradient(f: Checked, inputs: readonly Tensor[], options: CheckOptions = {}): true {
  checkKind("checkGradient", "the first argument", f, "function");
  if (!Array.isArray(inputs) || inputs.length === 0 || inputs.some((x) => !(x instanceof Value)))
    fail("ERR_NABLA_TYPE", "checkGradient", "the inputs are a list of tensors", { actual: inputs });
  const {
    eps = 1e-6,
    atol = 1e-5,
    rtol = 1e-3,
    order = 1,
  } = only("checkGradient", options, ["eps", "atol", "rtol", "order"]);
  const doubles = withGrad(false, () => inputs.map((x) => (x.isFloat ? (copy(cast(x, "f64")) as Tensor) : x)));
  const run = (xs: readonly Tensor[]) => weighed(f(...xs)) as Tensor;
  const leaves = () =>
    doubles.map((x) => {
      const leaf = x.detach();
      leaf.requiresGrad = x.isFloat;
      return leaf;
    });
  const wanted = doubles.flatMap((x, i) => (x.isFloat ? [i] : []));
  const at = leaves();
  const found = enableGrad(() => byEach(run(at), at, wanted));
  wanted.forEach((input, k) => {
    const x = doubles[input];
    const g = found[k] ? elementsOf("checkGradient", contiguous(found[k])) : new Float64Array(x.size);
    for (let i = 0; i < x.size; i++) {
      const moved = (by: number) => {
        const data = Float64Array.from(elementsOf("checkGradient", x));
        data[i] += by;
        return noGrad(() => run(doubles.with(input, fromArray(data, x.shape) as Tensor)).item());
      };
      const difference = (moved(eps) - moved(-eps)) / (2 * eps);
      if (Math.abs(g[i] - difference) <= atol + rtol * Math.abs(difference)) continue;
      fail(
        "ERR_NABLA_GRAD",
        "checkGradient",
        `the gradient of input ${input} at [${positionOf(i, x.shape)}] is ${g[i]}, differences give ${difference}`,
        {
          values: { input: x },
          expected: difference,
          actual: g[i],
          hint: `off by ${g[i] - difference}, eps is ${eps}`,
        },
      );
    }
  });
  if (order === 2) {
    const slope: Checked = (...xs) => enableGrad(() => slopes(run, xs, wanted));
    checkGradient(slope, doubles, { ...options, order: 1 });
  }
  return true;
}

/** The gradients by some of the inputs; none for those that y does not depend on. */
function byEach(y: Tensor, xs: readonly Tensor[], wanted: readonly number[], createGraph = false) {
  if (!y.requiresGrad) return [];
  return gradients(
    y,
    wanted.map((i) => xs[i]),
    { allowUnused: true, createGraph },
  );
}

/** The gradients of a function as a function of the same inputs, recorded. */
function slopes(run: (xs: readonly Tensor[]) => Tensor, xs: readonly Tensor[], wanted: readonly number[]): Tensor[] {
  const inner = xs.map((x) => {
    if (!x.isFloat || x.requiresGrad) return x;
    const leaf = x.detach();
    leaf.requiresGrad = true;
    return leaf;
  });
  const found = byEach(run(inner), inner, wanted, true).flatMap((g) => (g ? [g] : []));
  return found.length ? found : [zeros([], "f64") as Tensor];
}
