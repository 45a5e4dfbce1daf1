// What the methods of a tensor infer and refuse, beyond the shape types themselves: one refused line for every check.
import {
  arange,
  bernoulli,
  einsum,
  full,
  gradients,
  mse,
  ones,
  rand,
  randint,
  randn,
  type Tensor,
  tensor,
  valueAndGrad,
  where,
  zeros,
  zerosLike,
} from "nabla";
import { describe, expectTypeOf, test } from "vitest";
import type { DType, Shape } from "../../lib/types/shape.ts";

type F<S extends Shape> = Tensor<S, "f32">;
type I<S extends Shape> = Tensor<S, "i32">;
declare const n: number;
declare const unknown: Tensor;
const x = zeros(2, 3);
const i = arange(3);

describe("element types of arithmetic", () => {
  test("numbers are weak", () => {
    expectTypeOf(x.add(0.5)).toEqualTypeOf<F<[2, 3]>>();
    expectTypeOf(x.add(n)).toEqualTypeOf<F<[2, 3]>>();
    expectTypeOf(i.add(1)).toEqualTypeOf<I<[3]>>();
    expectTypeOf(i.add(0.5)).toEqualTypeOf<F<[3]>>();
    expectTypeOf(i.add(n)).toEqualTypeOf<Tensor<[3], DType>>();
    expectTypeOf(i.div(2)).toEqualTypeOf<F<[3]>>();
    expectTypeOf(i.gt(0).add(1)).toEqualTypeOf<I<[3]>>();
    expectTypeOf(unknown.mul(2)).toEqualTypeOf<Tensor>();
  });
  test("small integers are computed as i32", () => {
    expectTypeOf(i.gt(0).add(i.lt(2))).toEqualTypeOf<I<[3]>>();
    expectTypeOf(i.gt(0).sum()).toEqualTypeOf<I<[]>>();
    expectTypeOf(i.matmul(i)).toEqualTypeOf<F<[]>>();
    expectTypeOf(i.exp()).toEqualTypeOf<F<[3]>>();
    expectTypeOf(i.abs()).toEqualTypeOf<I<[3]>>();
  });
});

describe("results", () => {
  test("creation", () => {
    expectTypeOf(zeros([2, 3], { dtype: "i32" })).toEqualTypeOf<I<[2, 3]>>();
    expectTypeOf(ones([2], { requiresGrad: true })).toEqualTypeOf<F<[2]>>();
    expectTypeOf(full([n, 3], 1)).toEqualTypeOf<F<[number, 3]>>();
    expectTypeOf(rand(2, 3)).toEqualTypeOf<F<[2, 3]>>();
    expectTypeOf(randn([2], { dtype: "f64" })).toEqualTypeOf<Tensor<[2], "f64">>();
    expectTypeOf(randint(0, 9, [4])).toEqualTypeOf<I<[4]>>();
    expectTypeOf(bernoulli(x)).toEqualTypeOf<F<[2, 3]>>();
    expectTypeOf(zerosLike(i)).toEqualTypeOf<I<[3]>>();
    expectTypeOf(zerosLike(i, { dtype: "f64" })).toEqualTypeOf<Tensor<[3], "f64">>();
    expectTypeOf(arange(2, 5)).toEqualTypeOf<I<[number]>>();
    expectTypeOf(arange(0, 1, 0.1)).toEqualTypeOf<F<[number]>>();
    expectTypeOf(tensor(JSON.parse("1"))).toEqualTypeOf<F<Shape>>();
    expectTypeOf(tensor(new Int8Array(3))).toEqualTypeOf<I<[number]>>();
  });
  test("reductions", () => {
    expectTypeOf(x.max()).toEqualTypeOf<F<[]>>();
    expectTypeOf(x.max(1).values).toEqualTypeOf<F<[2]>>();
    expectTypeOf(x.max(1, true).indices).toEqualTypeOf<I<[2, 1]>>();
    expectTypeOf(x.argmax()).toEqualTypeOf<I<[]>>();
    expectTypeOf(x.argmin(0)).toEqualTypeOf<I<[3]>>();
    expectTypeOf(x.var(1, { keepdim: true })).toEqualTypeOf<F<[2, 1]>>();
    expectTypeOf(x.std()).toEqualTypeOf<F<[]>>();
    expectTypeOf(x.any(0)).toEqualTypeOf<Tensor<[3], "bool">>();
    expectTypeOf(x.logsumexp([0, 1])).toEqualTypeOf<F<[]>>();
    expectTypeOf(x.topk(2).values).toEqualTypeOf<F<[2, 2]>>();
    expectTypeOf(x.sort(0).indices).toEqualTypeOf<I<[2, 3]>>();
    expectTypeOf(x.median()).toEqualTypeOf<F<[]>>();
    expectTypeOf(x.nonzero()).toEqualTypeOf<I<[number, 2]>>();
  });
  test("parts and products", () => {
    expectTypeOf(x.split(1, 1)).toEqualTypeOf<F<[2, number]>[]>();
    expectTypeOf(x.narrow(1, 0, 2)).toEqualTypeOf<F<[2, 2]>>();
    expectTypeOf(x.t()).toEqualTypeOf<F<[3, 2]>>();
    expectTypeOf(i.outer(ones(4))).toEqualTypeOf<F<[3, 4]>>();
    expectTypeOf(x.repeat(2, 1)).toEqualTypeOf<F<[number, number]>>();
    expectTypeOf(einsum("ij->", x)).toEqualTypeOf<Tensor>();
    expectTypeOf(where(x.gt(0), x, 0)).toEqualTypeOf<F<[2, 3]>>();
    expectTypeOf(where(x.gt(0), 1, zeros(1, 3))).toEqualTypeOf<F<[2, 3]>>();
  });
  test("gradients", () => {
    expectTypeOf(gradients(x.sum(), x)).toEqualTypeOf<F<[2, 3]>>();
    expectTypeOf(gradients(x.sum(), [x, zeros(1)])).toEqualTypeOf<[F<[2, 3]>, F<[1]>]>();
    expectTypeOf(gradients(x.sum(), [x], { allowUnused: true })).toEqualTypeOf<(Tensor | undefined)[]>();
    const f = valueAndGrad((a: F<[2]>, b: F<[3]>) => a.sum().add(b.sum()), { argnums: [1, 0] });
    expectTypeOf(f(zeros(2), zeros(3))[1]).toEqualTypeOf<readonly [F<[3]>, F<[2]>]>();
    expectTypeOf(x.grad).toEqualTypeOf<F<[2, 3]> | null>();
  });
});

describe("refused", () => {
  const other = zeros(2, 4);
  test("shapes that do not broadcast", () => {
    // @ts-expect-error
    x.sub(other);
    // @ts-expect-error
    x.div(other);
    // @ts-expect-error
    x.pow(other);
    // @ts-expect-error
    x.maximum(other);
    // @ts-expect-error
    x.remainder(other);
    // @ts-expect-error
    x.floorDivide(other);
    // @ts-expect-error
    x.eq(other);
    // @ts-expect-error
    x.logicalAnd(other);
    // @ts-expect-error
    x.isclose(other);
    // @ts-expect-error
    x.lerp(other, 0.5);
    // @ts-expect-error
    x.where(x.gt(0), other);
    // @ts-expect-error
    x.maskedFill(other.gt(0), 0);
    // @ts-expect-error
    where(x.gt(0), other, 0);
    // @ts-expect-error
    where(x.gt(0), x, other);
  });
  test("products that do not fit", () => {
    // @ts-expect-error
    x.mm(x);
    // @ts-expect-error
    x.mv(zeros(2));
    // @ts-expect-error
    zeros(2).dot(zeros(3));
    // @ts-expect-error
    x.addmm(x, x);
  });
  test("dims that are not there", () => {
    // @ts-expect-error
    x.prod(2);
    // @ts-expect-error
    x.amax(2);
    // @ts-expect-error
    x.max(2);
    // @ts-expect-error
    x.argmax(-3);
    // @ts-expect-error
    x.any(2);
    // @ts-expect-error
    x.var(2);
    // @ts-expect-error
    x.norm([0, 2]);
    // @ts-expect-error
    x.logsumexp(2);
    // @ts-expect-error
    x.softmax(2);
    // @ts-expect-error
    x.logSoftmax(2);
    // @ts-expect-error
    x.cumsum(2);
    // @ts-expect-error
    x.sort(2);
    // @ts-expect-error
    x.topk(1, 2);
    // @ts-expect-error
    x.slice(2, 0);
    // @ts-expect-error
    x.select(2, 0);
    // @ts-expect-error
    x.flip(2);
    // @ts-expect-error
    x.split(1, 2);
    // @ts-expect-error
    x.chunk(1, 2);
    // @ts-expect-error
    x.narrow(2, 0, 1);
    // @ts-expect-error
    x.unflatten(2, [1, 3]);
  });
  test("indices that are no whole numbers", () => {
    // @ts-expect-error
    x.gather(0, x);
    // @ts-expect-error
    x.scatter(0, x, 1);
    // @ts-expect-error
    x.scatterAdd(0, x, x);
    // @ts-expect-error
    x.indexAdd(0, ones(2), x);
    // @ts-expect-error
    x.oneHot(3);
  });
  test("element types of no name, options that are not there", () => {
    // @ts-expect-error
    x.to("float32");
    // @ts-expect-error
    zeros([2], { dtype: "float" });
    // @ts-expect-error
    rand([2], { dtype: "i32" });
    // @ts-expect-error
    x.pad([1, 1], { mode: "mirror" });
    // @ts-expect-error
    mse(x, x, { reduction: "average" });
    // @ts-expect-error
    x.backward(other);
  });
});
