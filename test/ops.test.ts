// Every op in the registry, every case: what it writes, its gradients, and that its bits depend on nothing but its inputs.
import { afterEach, describe, expect, it, vi } from "vitest";
import { native } from "../lib/core/native.ts";
import { numel } from "../lib/core/shape.ts";
import { allocate } from "../lib/core/storage.ts";
import { type Value, wrapArray } from "../lib/core/value.ts";
import { type AnyOp, registry } from "../lib/engine/op.ts";
import { walk } from "../lib/engine/tape.ts";
import "../lib/ops/index.ts";
import { bits, eachPosition, elements, type Inputs, make, random, results, type Setting } from "./sample.ts";

type AnyCase = AnyOp["definition"]["cases"][number];
const all = [...registry.values()].flatMap((op) =>
  op.definition.cases.map((c, i) => ({ name: `${op.name} ${i}`, op, c })),
);
const differentiable = all.filter(({ op, c }) => op.definition.grad && c.order !== 0);

/** Random weights, one for each element of a result. */
function weights(like: readonly Value[], seed: number): Value[] {
  const next = random(seed);
  return like.map((y) => {
    const w = Float64Array.from({ length: numel(y.shape) }, () => 0.5 + next());
    return y.dtype === "f64" ? wrapArray(w, [...y.shape], "f64") : wrapArray(new Float32Array(w), [...y.shape], "f32");
  });
}
const floats = (ys: readonly Value[]): Value[] => ys.filter((y) => y.isFloat);

/** d sum(weights * results) / d leaves, zeros where nothing flows. */
function gradients(ys: readonly Value[], leaves: readonly Value[], seed: number, createGraph = false): Value[] {
  const w = weights(ys, seed);
  const grads = walk(
    ys.map((value, i) => ({ value, grad: w[i]! })),
    leaves,
    { createGraph },
  );
  return grads.map((g, i) => g ?? zeros(leaves[i]!));
}
const zeros = (x: Value): Value =>
  wrapArray(
    x.dtype === "f64" ? new Float64Array(numel(x.shape)) : new Float32Array(numel(x.shape)),
    [...x.shape],
    x.dtype,
  );

function track(inputs: Inputs): Inputs {
  for (const leaf of inputs.leaves) leaf.requiresGrad = true;
  return inputs;
}

/** Everything a case computes in f32, forward and backward, as bytes. */
function outcome(op: AnyOp, c: AnyCase, setting: Setting = {}): Uint8Array[] {
  const inputs = track(make(op, c, setting));
  const ys = results(op, c, inputs);
  const grads = op.definition.grad ? gradients(floats(ys), inputs.leaves, 7) : [];
  return [...ys, ...grads].map(bits);
}

const weighed = (ys: readonly Value[], seed: number): number => {
  const w = weights(ys, seed).map(elements);
  return ys.reduce((sum, y, k) => elements(y).reduce((s, e, i) => s + e * w[k]![i]!, sum), 0);
};

const step = 1e-5;
/** Compares gradients with central differences of f, which sees the leaves changed in place. */
function expectDifferences(leaves: readonly Value[], grads: readonly Value[], f: () => number): void {
  leaves.forEach((leaf, k) => {
    const got = elements(grads[k]!);
    eachPosition(leaf, (at, i) => {
      const { array } = leaf.storage;
      const x = array[at]!;
      array[at] = x + step;
      const above = f();
      array[at] = x - step;
      const slope = (above - f()) / (2 * step);
      array[at] = x;
      expect(Math.abs(got[i]! - slope), `leaf ${k} at ${i}: ${got[i]}, by differences ${slope}`).toBeLessThan(
        1e-6 * Math.max(1, Math.abs(slope)),
      );
    });
  });
}

/** State that an op advances is made again for each run; leaves stay, so that they can be changed. */
function repeated(op: AnyOp, c: AnyCase, leaves: readonly Value[]): Inputs {
  const again = track(make(op, c, { float: "f64" }));
  for (const [k, leaf] of leaves.entries()) again.leaves[k]!.storage.array.set(leaf.storage.array);
  return again;
}

describe("registry", () => {
  it.each([...registry.values()])("$name has cases, and a gradient unless they say that it has none", (op) => {
    expect(op.definition.cases.length).toBeGreaterThan(0);
    if (!op.definition.grad) for (const c of op.definition.cases) expect(c.order ?? 0).toBe(0);
  });
});

describe("gradients against central differences in f64", () => {
  it.each(differentiable)("$name", ({ op, c }) => {
    const { leaves } = make(op, c, { float: "f64" });
    expect(leaves.length).toBeGreaterThan(0);
    const inputs = repeated(op, c, leaves);
    const grads = gradients(floats(results(op, c, inputs)), inputs.leaves, 3);
    expectDifferences(leaves, grads, () => weighed(floats(results(op, c, repeated(op, c, leaves))), 3));
  });
});

describe("second gradients against central differences of the first", () => {
  it.each(differentiable.filter(({ c }) => c.order !== 1))("$name", ({ op, c }) => {
    const { leaves } = make(op, c, { float: "f64" });
    const first = (inputs: Inputs) => gradients(floats(results(op, c, inputs)), inputs.leaves, 3, true);
    const inputs = repeated(op, c, leaves);
    const second = gradients(first(inputs), inputs.leaves, 5);
    expectDifferences(leaves, second, () => weighed(first(repeated(op, c, leaves)), 5));
  });
});

describe("the same bits", () => {
  const best = native.isa();
  const threads = native.threads();
  afterEach(() => {
    native.use(best);
    native.setThreads(threads);
  });

  it.each(all)("$name on every instruction set", ({ op, c }) => {
    native.use("scalar");
    const expected = outcome(op, c);
    for (const isa of native.isas) {
      native.use(isa);
      expect(outcome(op, c), isa).toEqual(expected);
    }
  });
  it.each(all)("$name with every number of threads", ({ op, c }) => {
    native.setThreads(1);
    const expected = outcome(op, c);
    for (const n of [2, 3, 5]) {
      native.setThreads(n);
      expect(outcome(op, c), `${n} threads`).toEqual(expected);
    }
  });
  // Their attributes are the steps themselves, so the functions that call them see to the layout.
  const reshapes = new Set(["reshape", "resize"]);
  it.each(all.filter(({ op }) => !reshapes.has(op.name)))("$name wherever its inputs lie", ({ op, c }) => {
    const expected = outcome(op, c);
    expect(outcome(op, c, { layout: "reversed" })).toEqual(expected);
    expect(outcome(op, c, { layout: "spaced" })).toEqual(expected);
  });
});

describe("what a result is made of", () => {
  afterEach(() => vi.restoreAllMocks());
  const plain = Buffer.allocUnsafeSlow;
  /** Fresh memory holds this byte from now on; what is left of the old slab is used up. */
  function poison(byte: number): void {
    vi.spyOn(Buffer, "allocUnsafeSlow").mockImplementation((size) => plain(size).fill(byte));
    for (let i = 0; i < 64; i++) allocate("u8", 1024);
  }

  it.each(all)("$name writes every element and reads none it was not given", ({ op, c }) => {
    poison(0xff);
    const expected = outcome(op, c);
    poison(0x3f);
    expect(outcome(op, c)).toEqual(expected);
  });
  it.each(all)("$name survives empty inputs", ({ op, c }) => {
    const shapes = Object.values(make(op, c).named).flatMap((x) => (typeof x === "number" ? [] : x.shape));
    for (const size of new Set(shapes)) {
      try {
        for (const y of results(op, c, track(make(op, c, { sizes: { [size]: 0 } })))) elements(y);
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^ERR_NABLA_/);
      }
    }
  });
});
