// Where elementwise functions are not smooth: zeros, infinities, whole quotients, integers, wrong arguments.
import { tensor } from "nabla";
import { describe, expect, test } from "vitest";
import { emptyValue, type Value } from "../lib/core/value.ts";
import { launch, launchMap } from "../lib/engine/launch.ts";
import { walk } from "../lib/engine/tape.ts";
import { K } from "../lib/native.gen.ts";
import * as ops from "../lib/ops/index.ts";
import { elements, random } from "./sample.ts";

const numbers = (y: Value): number[] => elements(y);
/** d sum(f(x)) / dx */
function slope(f: (x: Value) => Value, ...at: number[]): number[] {
  const x = tensor(at, { requiresGrad: true });
  const y = f(x);
  const [g] = walk([{ value: y, grad: ops.ones(y.shape) }], [x]);
  return numbers(g as Value);
}
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

describe("division with a whole quotient", () => {
  const next = random(3);
  const float = () => Math.fround((next() < 0.5 ? -1 : 1) * 2 ** (60 * (next() - 0.5)));
  const a = Float32Array.from({ length: 20_000 }, float);
  const b = Float32Array.from(a, float);
  test("fmod is exact", () => {
    const expected = Float32Array.from(a, (x, i) => x % b[i]!);
    expect(numbers(ops.fmod({ a: tensor(a), b: tensor(b) }))).toEqual([...expected]);
  });
  test("fmod, remainder and floorDivide at their edges", () => {
    const [x, y] = [tensor([5, -5, 5, -5, 1, -1, 0, inf, 1, 1]), tensor([3, 3, -3, -3, inf, inf, 3, 2, 0, nan])];
    expect(numbers(ops.fmod({ a: x, b: y }))).toEqual([2, -2, 2, -2, 1, -1, 0, nan, nan, nan]);
    expect(numbers(ops.remainder({ a: x, b: y }))).toEqual([2, 1, -1, -2, 1, inf, 0, nan, nan, nan]);
    expect(numbers(ops.floorDivide({ a: x, b: y }))).toEqual([1, -2, -2, 1, 0, -1, 0, nan, inf, nan]);
    expect(numbers(ops.floorDivide({ a: tensor([1, -0.3]), b: 0.1 }))).toEqual([9, -4]);
  });
  test("integers stay integers, and nothing divides by 0", () => {
    const x = tensor([7, -7, 7, -(2 ** 31), 7, -7], { dtype: "i32" });
    const y = tensor([2, 2, -2, -1, 0, 0], { dtype: "i32" });
    expect(numbers(ops.floorDivide({ a: x, b: y }))).toEqual([3, -4, -4, -(2 ** 31), 0, 0]);
    expect(numbers(ops.truncDivide({ a: x, b: y }))).toEqual([3, -3, -3, -(2 ** 31), 0, 0]);
    expect(numbers(ops.remainder({ a: x, b: y }))).toEqual([1, 1, -1, 0, 7, -7]);
    expect(numbers(ops.fmod({ a: x, b: y }))).toEqual([1, -1, 1, 0, 7, -7]);
    expect(ops.fmod({ a: x, b: y }).dtype).toBe("i32");
  });
});

test("results without elements, whatever was broadcast and however it lies", () => {
  const [a, b] = [ops.zeros([4, 1, 5]), ops.zeros([1, 0, 5])];
  expect(ops.sub({ a, b }).shape).toEqual([4, 0, 5]);
  expect(ops.add({ a: ops.transpose(ops.zeros([0, 3]), 0, 1), b: 1 }).shape).toEqual([3, 0]);
  expect(ops.flip(ops.zeros([5, 0, 10]), [-1]).shape).toEqual([5, 0, 10]);
});

describe("powers", () => {
  test("x^0 and 0^b are flat, not NaN", () => {
    expect(slope((x) => ops.pow({ a: x, b: 0 }), 0, 2)).toEqual([0, 0]);
    expect(slope((x) => ops.pow({ a: x, b: tensor([0, 2, 1]) }), 0, 0, 0)).toEqual([0, 0, 1]);
    expect(slope((b) => ops.pow({ a: tensor([0, 0]), b }), 2, 0)).toEqual([0, 0]);
    expect(slope((b) => ops.pow({ a: 0, b }), 2, 0)).toEqual([0, 0]);
    expect(numbers(ops.pow({ a: tensor([0, nan]), b: 0 }))).toEqual([1, 1]);
  });
  test("exponents with a row of their own give what their row gives", () => {
    const x = tensor([0.5, 2, 9]);
    expect(numbers(ops.pow({ a: x, b: 2 }))).toEqual(numbers(ops.square({ x })));
    expect(numbers(ops.pow({ a: x, b: 0.5 }))).toEqual(numbers(ops.sqrt({ x })));
    expect(numbers(ops.pow({ a: x, b: -1 }))).toEqual(numbers(ops.reciprocal({ x })));
    expect(numbers(ops.pow({ a: tensor([-2, -2]), b: tensor([3, 0.5]) }))).toEqual([-8, nan]);
  });
});

describe("angles and lengths", () => {
  test("atan2 in every quadrant, on every axis, at infinity", () => {
    const sides = [-inf, -1, -0, 0, 1, inf];
    for (const [a, b] of sides.flatMap((y) => sides.map((x) => [y, x] as const))) {
      const [y] = numbers(ops.atan2({ a: tensor([a]), b: tensor([b]) }));
      const angle = Math.fround(Math.atan2(a, b));
      if (Math.abs(a) === Math.abs(b) && a !== 0) expect(y).toBeCloseTo(angle, 6);
      else expect(y, `${a}, ${b}`).toBe(angle);
    }
  });
  test("hypot does not overflow, and infinity wins over NaN", () => {
    const y = ops.hypot({ a: tensor([3e30, 0, inf, nan]), b: tensor([4e30, 0, nan, 1]) });
    expect(numbers(y)).toEqual([Math.fround(5e30), 0, inf, nan]);
  });
  test("logaddexp of equal infinities", () => {
    const y = ops.logaddexp({ a: tensor([-inf, inf, -inf]), b: tensor([-inf, inf, 2]) });
    expect(numbers(y)).toEqual([-inf, inf, 2]);
  });
});

describe("rounding", () => {
  test("halves go to the even number, integers stay as they are", () => {
    expect(numbers(ops.round({ x: tensor([0.5, 1.5, 2.5, -0.5]) }))).toEqual([0, 2, 2, -0]);
    expect(numbers(ops.roundTo(tensor([1234.5678, -0.5]), 2))).toEqual([1234.57, -0.5].map(Math.fround));
    expect(numbers(ops.roundTo(tensor([1234.5678]), -2))).toEqual([1200]);
    expect(ops.floor({ x: tensor([3], { dtype: "i32" }) }).dtype).toBe("i32");
    expect(numbers(ops.sign({ x: tensor([-3, 0, 3], { dtype: "i32" }) }))).toEqual([-1, 0, 1]);
  });
  test("what is not finite becomes what is asked", () => {
    const x = tensor([nan, inf, -inf, 1]);
    expect(numbers(ops.nanToNum(x, { nan: 7, posinf: 8 }))).toEqual([7, 8, Math.fround(-3.4028234663852886e38), 1]);
    expect(slope((v) => ops.nanToNum(v), nan, inf, -inf, 1)).toEqual([0, 0, 0, 1]);
  });
});

describe("clamp", () => {
  test("bounds of either kind, crossed, missing, NaN", () => {
    const x = tensor([-2, 0, 2, nan]);
    expect(numbers(ops.clamp({ x, min: -1, max: 1 }))).toEqual([-1, 0, 1, nan]);
    expect(numbers(ops.clamp({ x, min: 1, max: -1 }))).toEqual([-1, -1, -1, nan]);
    expect(numbers(ops.clamp({ x, max: tensor([nan, 1, 1, 1]) }))).toEqual([nan, 0, 1, nan]);
    expect(numbers(ops.clamp({ x: tensor([-5, 5], { dtype: "i32" }), min: 0 }))).toEqual([0, 5]);
    expect(() => ops.clamp({ x })).toThrow(expect.objectContaining({ code: "ERR_NABLA_VALUE" }));
  });
  test("the gradient passes at the bounds", () => {
    expect(slope((x) => ops.clamp({ x, min: -1, max: 1 }), -1, 0, 1, 1.5)).toEqual([1, 1, 1, 0]);
  });
});

describe("activations", () => {
  test("corners have PyTorch's slope", () => {
    expect(slope((x) => ops.relu({ x }), -1, 0, 1)).toEqual([0, 0, 1]);
    expect(slope((x) => ops.relu6({ x }), 0, 3, 6, nan)).toEqual([0, 1, 0, 0]);
    expect(slope((x) => ops.hardtanh(x), -1, 0, 1)).toEqual([0, 1, 0]);
    expect(slope((x) => ops.softshrink(x, 0.5), -0.5, 0.5, 1)).toEqual([0, 0, 1]);
    expect(slope((x) => ops.leakyRelu(x, 0.25), 0, 1)).toEqual([0.25, 1]);
  });
  test("far out they have reached their limits", () => {
    const x = tensor([-1e30, -200, 200, 1e30]);
    const hinge = [-0, -0, 200, Math.fround(1e30)];
    for (const y of [ops.silu({ x }), ops.gelu(x, { approximate: "tanh" }), ops.mish({ x }), ops.hardswish({ x })])
      expect(numbers(y)).toEqual(hinge);
    expect(numbers(ops.gelu(x))).toEqual([0, 0, 200, Math.fround(1e30)]);
    expect(slope((v) => ops.silu({ x: v }), -inf, -1e30, 1e30, inf)).toEqual([-0, -0, 1, 1]);
  });
  test("one weight, or one for each channel", () => {
    const x = ops.full([2, 3, 2], -1);
    expect(numbers(ops.prelu(x, tensor([1, 2, 3]))).slice(0, 6)).toEqual([-1, -1, -2, -2, -3, -3]);
    expect(numbers(ops.prelu(x, tensor([5]))).every((y) => y === -5)).toBe(true);
    expect(() => ops.prelu(x, tensor([1, 2]))).toThrow(expect.objectContaining({ code: "ERR_NABLA_SHAPE" }));
  });
  test("wrong arguments are refused", () => {
    const x = tensor([1, 2, 3]);
    expect(() => ops.glu(x)).toThrow(expect.objectContaining({ code: "ERR_NABLA_SHAPE" }));
    expect(() => ops.elu(x, "1" as never)).toThrow(expect.objectContaining({ code: "ERR_NABLA_TYPE" }));
    expect(() => ops.gelu(x, { approximate: "fast" as never })).toThrow(
      expect.objectContaining({ code: "ERR_NABLA_VALUE" }),
    );
  });
});

describe("the finish of a product", () => {
  // acts of gemm in their order: the row, its slope, and whether that is one of y
  const acts = [
    [K.relu, K.relu_grad, false],
    [K.gelu, K.gelu_grad, false],
    [K.gelu_tanh, K.gelu_tanh_grad, false],
    [K.silu, K.silu_grad, false],
    [K.sigmoid, K.sigmoid_grad, true],
    [K.tanh, K.tanh_grad, true],
  ] as const;
  const n = 1000;
  const next = random(8);
  const x = tensor(Float32Array.from({ length: n }, () => 20 * (next() - 0.5)));
  const dy = tensor(Float32Array.from({ length: n }, next));
  /** 1 x 1 times 1 x n, so that only the finish is left. */
  function finished(b: Value, at: Value | null, act: number): Value {
    const y = emptyValue([n], "f32");
    const row = (value: Value) => ({ value, steps: [0, 0, n, 1] });
    const one = { value: ops.ones([1]), steps: [0, 0, 1, 1] };
    launch(K.gemm, "f32", [1, 1, 1, n, 1], [row(y), one, row(b), null, null, at && row(at)], [act, 0]);
    return y;
  }
  test.each(acts.map(([row, slopeRow, ofY], i) => ({ name: row.name, row, slopeRow, ofY, act: i + 1 })))(
    "$name has the bits of its own row, and so has its slope",
    ({ row, slopeRow, ofY, act }) => {
      const [y, dx] = [emptyValue([n], "f32"), emptyValue([n], "f32")];
      launchMap(row, "f32", [y, x]);
      launchMap(slopeRow, "f32", [dx, dy, ofY ? y : x]);
      expect(numbers(finished(x, null, act))).toEqual(numbers(y));
      expect(numbers(finished(dy, ofY ? y : x, act))).toEqual(numbers(dx));
    },
  );
});
