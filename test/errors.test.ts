// What a user reads who does something wrong, whole; and that nothing from JavaScript takes the process down.
import {
  arange,
  cat,
  compile,
  crossEntropy,
  einsum,
  eye,
  full,
  LayerNorm,
  Linear,
  LSTM,
  linspace,
  Module,
  MultiheadAttention,
  meshgrid,
  NablaError,
  noGrad,
  ones,
  Sequential,
  setThreads,
  stack,
  type Tensor,
  tensor,
  where,
  zeros,
} from "nabla";
import { describe, expect, test } from "vitest";
import { assign } from "../lib/ops/index.ts";

/** Errors as they print, without the stack; what is not nabla's is told. */
function read(f: () => unknown): string {
  try {
    f();
  } catch (e) {
    return e instanceof NablaError ? `${e.name}: ${e.message}` : `not a NablaError: ${String(e)}`;
  }
  return "accepted";
}
/** Calls without the types that would refuse them. */
// biome-ignore lint/suspicious/noExplicitAny: this file is about callers without types
type Loose = any;
const loose = { tensor, zeros, full, cat, stack, where, einsum, arange, eye, linspace, meshgrid, setThreads } as Loose;
const x: Loose = zeros(2, 3);

describe("data that is no tensor", () => {
  const data: [string, () => unknown][] = [
    ["ragged", () => loose.tensor([[1, 2], [3]])],
    [
      "ragged below",
      () =>
        loose.tensor([
          [[1], [2]],
          [[3], [4, 5]],
        ]),
    ],
    ["a number beside a row", () => loose.tensor([[1, 2], 3])],
    ["a row beside numbers", () => loose.tensor([1, [2]])],
    ["a hole", () => loose.tensor(new Array(2))],
    ["undefined", () => loose.tensor([1, undefined])],
    ["null", () => loose.tensor(null)],
    ["a BigInt", () => loose.tensor([1, 2n])],
    ["a string", () => loose.tensor(["1"])],
    ["a string alone", () => loose.tensor("12")],
    ["an object", () => loose.tensor({ length: 1, 0: 1 })],
    ["a symbol", () => loose.tensor([Symbol("x")])],
    ["a tensor", () => loose.tensor(zeros(2))],
    ["nine deep", () => loose.tensor([[[[[[[[[1]]]]]]]]])],
    [
      "round in a circle",
      () => {
        const ring: unknown[] = [];
        ring.push(ring);
        return loose.tensor(ring);
      },
    ],
    ["300 as u8", () => loose.tensor([1, 300], { dtype: "u8" })],
    ["NaN as i32", () => loose.tensor([Number.NaN], { dtype: "i32" })],
    ["2^31 as i32", () => loose.tensor(new Uint32Array([2 ** 31]))],
    ["2^40 as i32", () => loose.tensor(new BigInt64Array([2n ** 40n]))],
    ["typed rows of two lengths", () => loose.tensor([new Float32Array(2), new Float32Array(3)])],
    ["a typed row too high", () => loose.tensor([[[1]], new Float32Array(1)])],
  ];
  test.each(data)("%s", (_, f) => {
    expect(read(f)).toMatchSnapshot();
  });
  test("an array whose buffer went to a worker", () => {
    const array = new Float32Array(4);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    expect(read(() => tensor(array))).toMatchSnapshot();
    expect(read(() => tensor([array]))).toMatchSnapshot();
  });
  test("a Proxy is read as the array it stands for", () => {
    expect(tensor(new Proxy([[1, 2]], {})).toArray()).toEqual([[1, 2]]);
    const endless = new Proxy([1], { get: (a, k) => (k === "length" ? 2 ** 53 : Reflect.get(a, k)) });
    expect(read(() => tensor(endless))).toMatchSnapshot();
    const revoked = Proxy.revocable([1], {});
    revoked.revoke();
    expect(() => tensor(revoked.proxy)).toThrow(TypeError);
  });
  test("a getter that throws, or changes the array", () => {
    const thrower = Object.defineProperty([0], 0, {
      get() {
        throw new RangeError("mine");
      },
    });
    expect(() => tensor(thrower)).toThrow("mine");
    const shrinking: number[][] = [[1, 2]];
    Object.defineProperty(shrinking, 1, {
      configurable: true,
      get() {
        shrinking.length = 0;
        return [3, 4];
      },
    });
    expect(tensor(shrinking).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });
});

describe("shapes that are none, before any memory is taken", () => {
  const shapes: [string, () => unknown][] = [
    ["NaN", () => zeros(Number.NaN)],
    ["negative", () => zeros(2, -1)],
    ["a fraction", () => zeros(1.5)],
    ["infinite", () => zeros(Number.POSITIVE_INFINITY)],
    ["a string", () => loose.zeros("3")],
    ["a BigInt", () => loose.zeros(3n)],
    ["a hole", () => loose.zeros(new Array(2))],
    ["an object", () => loose.zeros({})],
    ["too many elements", () => zeros(2 ** 20, 2 ** 20)],
    ["beyond counting", () => zeros(2 ** 53, 2 ** 53)],
    ["nine dims", () => zeros(1, 1, 1, 1, 1, 1, 1, 1, 1)],
    ["an expand too large", () => zeros(1).expand(2 ** 50)],
    ["a repeat too large", () => zeros(1).repeat(2 ** 50)],
    ["a pad too large", () => zeros(1).pad([2 ** 50, 0])],
    ["an arange too long", () => arange(2 ** 50)],
    ["an arange without end", () => arange(Number.POSITIVE_INFINITY)],
    ["steps of 0", () => arange(0, 1, 0)],
    ["a linspace of -1", () => linspace(0, 1, -1)],
    ["an eye of NaN", () => eye(Number.NaN)],
    ["unsqueeze of eight dims", () => zeros(1, 1, 1, 1, 1, 1, 1, 1).unsqueeze(0)],
  ];
  test.each(shapes)("%s", (_, f) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(read(f)).toMatchSnapshot();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });
});

describe("operands", () => {
  const wrong: [string, () => unknown][] = [
    ["add of a string", () => x.add("1")],
    ["add of a list", () => x.add([1, 2, 3])],
    ["add of nothing", () => x.add()],
    ["mul of a BigInt", () => x.mul(1n)],
    ["mul of a typed array", () => x.mul(new Float32Array(3))],
    ["matmul of a number", () => x.matmul(2)],
    ["matmul of null", () => x.matmul(null)],
    ["broadcast", () => x.add(zeros(2))],
    ["broadcast of results", () => x.mul(2).sub(zeros(4, 2).abs())],
    ["inner sizes", () => x.matmul(zeros(4, 2))],
    ["batch sizes", () => zeros(2, 3, 4).matmul(zeros(3, 4, 5) as Loose)],
    ["a scalar in matmul", () => zeros().matmul(x)],
    ["vectors of two lengths", () => zeros(2).matmul(zeros(3) as Loose)],
    ["mm of vectors", () => zeros(2).mm(zeros(2))],
    ["bmm of two batches", () => zeros(2, 3, 4).bmm(zeros(5, 4, 3) as Loose)],
    ["sum of a missing dim", () => x.sum(2)],
    ["sum of a dim twice", () => x.sum([0, -2])],
    ["sum of half a dim", () => x.sum(0.5)],
    ["reshape to another count", () => x.reshape(4, 2)],
    ["reshape with two holes", () => x.reshape(-1, -1)],
    ["reshape to NaN", () => x.reshape(Number.NaN)],
    ["view of a transposed", () => x.mT().view(6)],
    ["permute of too few", () => x.permute(1)],
    ["expand of 3 to 4", () => x.expand(2, 4)],
    ["select outside", () => x.select(1, 3)],
    ["slice by NaN", () => x.slice(0, Number.NaN)],
    ["slice by steps of 0", () => x.slice(0, 0, 1, 0)],
    ["narrow outside", () => x.narrow(1, 2, 2)],
    ["split that does not add up", () => x.split([1, 1], 1)],
    ["chunk into none", () => x.chunk(0)],
    ["unflatten", () => x.unflatten(1, [2, 2])],
    ["pad of one side", () => x.pad([1])],
    ["pad by a mode of no name", () => x.pad([1, 1], { mode: "mirror" })],
    ["reflect beyond", () => x.pad([3, 0], { mode: "reflect" })],
    ["cat of nothing", () => loose.cat([])],
    ["cat of a tensor", () => loose.cat(x)],
    ["cat of other sizes", () => loose.cat([x, zeros(2, 4)])],
    ["stack of other shapes", () => loose.stack([x, zeros(3, 2)])],
    ["where of a list", () => loose.where([true], x, 0)],
    ["einsum of too few", () => einsum("ij,jk", x)],
    ["einsum of another rank", () => einsum("ijk->i", x)],
    ["einsum of other sizes", () => einsum("ij,ij->i", x, zeros(3, 3))],
    ["einsum of an unknown letter", () => einsum("ij->k", x)],
    ["item of six", () => x.item()],
    ["to a dtype of no name", () => x.to("float32")],
    ["to a dtype without arithmetic", () => x.to("f16")],
    ["gradients of integers", () => loose.tensor([1], { dtype: "i32", requiresGrad: true })],
    ["threads", () => loose.setThreads(0)],
    ["threads by name", () => loose.setThreads("4")],
    ["meshgrid of a matrix", () => meshgrid([x])],
    ["roll by a fraction", () => x.roll(0.5, 0)],
    ["addmm of vectors", () => x.addmm(zeros(3), zeros(3))],
  ];
  test.each(wrong)("%s", (_, f) => {
    expect(read(f)).toMatchSnapshot();
  });
  test("the label of a parameter and the op before are told", () => {
    const w = zeros(4, 2);
    w.label = "fc2.weight";
    expect(read(() => x.abs().matmul(w))).toMatchSnapshot();
  });
});

describe("state", () => {
  test("a disposed tensor, by every way in", () => {
    const y: Loose = ones(4, 4);
    y.label = "hidden";
    const view = y.mT();
    y[Symbol.dispose]();
    y[Symbol.dispose]();
    for (const f of [() => y.add(1), () => view.sum(), () => y.item.call(y.sum()), () => y.toArray(), () => y.clone()])
      expect(read(f)).toMatch(
        /^DisposedError \[ERR_NABLA_DISPOSED\]: \w+: the memory of (a|this) tensor was given back/,
      );
    expect(read(() => y.dataSync())).toMatchSnapshot();
    expect(read(() => y.add(1))).toMatchSnapshot();
  });
  test("disposing of a view leaves the memory", () => {
    const y = ones(2, 2);
    y.mT()[Symbol.dispose]();
    expect(y.sum().item()).toBe(4);
  });
  test("a tensor whose buffer was taken away", () => {
    const y = ones(100, 100);
    const { buffer } = y.storage.array;
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    expect(read(() => y.add(1))).toMatchSnapshot();
    expect(read(() => assign(y, 0))).toMatchSnapshot();
  });
  test("a shape that was written to reads no memory that is not its own", () => {
    const y: Loose = ones(10);
    y.shape[0] = 1e9;
    expect(read(() => y.add(1))).toMatch(/^(NativeError|ShapeError|IndexError|MemoryError|ValueError)/);
  });
  test("numbers read inside a compiled step", () => {
    const step = compile((v: Tensor) => v.mul(v.sum().item()));
    expect(read(() => step.sync(ones(2)))).toMatchSnapshot();
    const shown = compile((v: Tensor) => {
      String(v);
      return v;
    });
    expect(read(() => shown.sync(ones(2)))).toMatchSnapshot();
  });
});

test("says what stands where a tensor should", () => {
  expect(() => new Linear(2, 2).forward([1, 2] as never)).toThrow("linear: x is a list, not a tensor");
  const attention = new MultiheadAttention(8, 2);
  expect(() => attention.attend(zeros(2, 3, 8) as never, { causal: true } as never)).toThrow(
    "x is an object, not a tensor",
  );
  expect(() => new Linear(2, 2).forward(undefined as never)).toThrow(NablaError);
});

test("says what a layer or a loss was called with", () => {
  const lstm = new LSTM(4, 5) as Loose;
  expect(read(() => lstm.forward(zeros(2, 3, 4), { lengths: [2, 1, 1] }))).toBe(
    "TypeError [ERR_NABLA_TYPE]: LSTM: does not take (a tensor [2, 3, 4], an object)\n" +
      "  hint: tensors come first, tensor(x) makes one of numbers; options come last, in an object",
  );
  expect(read(() => new LayerNorm(3).forward(undefined as never))).toContain("LayerNorm: does not take (undefined)");
  expect(read(() => crossEntropy([[1, 2]] as never, null as never))).toContain("crossEntropy: logits are a list");
  expect(read(() => crossEntropy(x, null as never))).toContain("crossEntropy: does not take (a tensor [2, 3], null");
  expect(read(() => new Sequential(new Linear(2, 2), new LayerNorm(2)).forward("x" as never))).toContain(
    'linear: x is the string "x", not a tensor',
  );
});
test("leaves the errors of a user's own module alone", () => {
  class Own extends Module {
    forward(given: { a: { b: Tensor } }): Tensor {
      return given.a.b;
    }
  }
  expect(() => new Own().forward({} as never)).toThrow(TypeError);
  expect(() => new Own().forward({} as never)).not.toThrow(NablaError);
  expect(new Own().forward({ a: { b: x } })).toBe(x);
});

describe("the error itself", () => {
  test("has a code, an op, what was expected and what was there", () => {
    try {
      x.matmul(zeros(4, 2));
    } catch (e) {
      expect(e).toBeInstanceOf(NablaError);
      expect(e).toBeInstanceOf(Error);
      expect(e).toMatchObject({ code: "ERR_NABLA_SHAPE", op: "matmul", expected: 3, actual: 4 });
    }
    expect.assertions(3);
  });
  test("begins its stack at the line of the user", () => {
    const line = (e: unknown) => (e as Error).stack?.split("\n").find((l) => l.startsWith("    at "));
    for (const f of [() => x.add("1"), () => loose.cat([]), () => tensor([1]).backward(), () => noGrad(() => x.sum(5))])
      try {
        f();
      } catch (e) {
        expect(line(e)).toContain("errors.test.ts");
      }
    expect.assertions(4);
  });
});
