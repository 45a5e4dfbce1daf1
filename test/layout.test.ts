// Tensors viewed, joined, taken apart, chosen from and multiplied.
import { arange, cat, einsum, eye, full, meshgrid, ones, stack, type Tensor, tensor, where, zeros } from "nabla";
import { afterEach, describe, expect, test } from "vitest";
import { native } from "../lib/core/native.ts";

const best = native.isa();
afterEach(() => native.use(best));

describe("views", () => {
  const x = arange(6).reshape(2, 3);
  test("share the memory", () => {
    for (const y of [
      x.reshape(3, 2),
      x.mT(),
      x.slice(1, 1),
      x.select(0, 1),
      x.expand(4, 2, 3),
      x.flip(0),
      x.unsqueeze(0),
    ])
      expect(y.storage).toBe(x.storage);
    expect(x.mT().reshape(6).storage).not.toBe(x.storage);
    expect(x.mT().contiguous().storage).not.toBe(x.storage);
    expect(x.clone().storage).not.toBe(x.storage);
  });
  test("turned are copied in the order of the result: tiles, their edges, and what is too small for them", () => {
    const cases: [shape: number[], order: number[]][] = [
      [
        [67, 37],
        [1, 0],
      ],
      [
        [600, 21],
        [1, 0],
      ],
      [
        [300, 517],
        [1, 0],
      ],
      [
        [4, 4],
        [1, 0],
      ],
      [
        [3, 50, 18],
        [0, 2, 1],
      ],
      [
        [90, 16, 16],
        [0, 2, 1],
      ],
      [
        [5, 3, 33, 20],
        [0, 3, 1, 2],
      ],
      [
        [20, 3, 5, 34],
        [3, 1, 2, 0],
      ],
      [
        [2, 3, 2, 4, 5, 17],
        [0, 5, 1, 4, 2, 3],
      ],
      [
        [700, 2, 520],
        [2, 1, 0],
      ],
      [
        [40, 16, 500],
        [0, 2, 1],
      ],
    ];
    for (const [shape, order] of cases) {
      const size = shape.reduce((n, s) => n * s);
      const strides = shape.map((_, d) => shape.slice(d + 1).reduce((n, s) => n * s, 1));
      const places = new Int32Array(size);
      // The place in x of each element of y, counted up axis by axis.
      const at = shape.map(() => 0);
      for (let i = 0; i < size; i++) {
        places[i] = order.reduce((sum, d, k) => sum + at[k]! * strides[d]!, 0);
        for (let k = order.length - 1; k >= 0 && ++at[k]! === shape[order[k]!]; k--) at[k] = 0;
      }
      for (const dtype of ["f32", "i32", "f64", "u8", "bf16"] as const) {
        const x = arange(size)
          .to(dtype)
          .reshape(...shape) as Tensor;
        const from = x.dataSync();
        for (const isa of native.isas) {
          native.use(isa);
          const to = x
            .permute(...order)
            .contiguous()
            .dataSync();
          expect([shape, dtype, isa, to.findIndex((e, i) => e !== from[places[i]!])]).toEqual([shape, dtype, isa, -1]);
        }
      }
    }
  });
  test("turned are copied past the caches where they are large", () => {
    for (const [dtype, rows, cols] of [
      ["f32", 2064, 2100],
      ["u8", 4160, 4100],
    ] as const) {
      const x = arange(rows * cols)
        .to(dtype)
        .reshape(rows, cols) as Tensor;
      const from = x.dataSync();
      for (const isa of native.isas) {
        native.use(isa);
        const to = x.mT().contiguous().dataSync();
        expect(to.findIndex((e, i) => e !== from[(i % rows) * cols + Math.floor(i / rows)])).toBe(-1);
      }
    }
  });
  test("turned are joined as they are copied", () => {
    const x = arange(70 * 45).reshape(70, 45) as Tensor;
    const turned = x.mT().contiguous().dataSync();
    const y = cat([x.mT(), x.mT()] as never, 1) as Tensor;
    for (const at of [0, 70])
      expect(
        y
          .slice(1, at, at + 70)
          .contiguous()
          .dataSync(),
      ).toEqual(turned);
  });
  test("of parts share the memory where it can be walked in the other shape", () => {
    const rows = arange(48).reshape(2, 2, 12);
    const shapes: [from: Tensor, shape: number[], shares: boolean][] = [
      [rows.slice(2, 4, 8), [2, 2, 2, 2], true],
      [rows.slice(2, 4, 8), [4, 4], true],
      [rows.slice(2, 4, 8), [4, 1, 2, 1, 2], true],
      [rows.slice(2, 0, 12, 3), [2, 2, 2, 2], true],
      [rows.transpose(0, 1), [2, 2, 3, 4], true],
      [rows.slice(0, 1).transpose(0, 2), [12, 2], true],
      [rows.flip(2), [4, 3, 4], true],
      [rows.slice(2, 4, 8), [16], false],
      [rows.slice(2, 4, 8), [2, 4, 2], false],
      [rows.slice(2, 0, 9), [2, 9, 2], false],
      [rows.transpose(0, 1), [4, 12], false],
      [rows.mT(), [2, 24], false],
    ];
    for (const [from, shape, shares] of shapes) {
      const y = from.reshape(...shape);
      expect(y.storage === rows.storage, `${from.shape} as ${shape}`).toBe(shares);
      expect(y.toArray()).toEqual(
        from
          .clone()
          .reshape(...shape)
          .toArray(),
      );
    }
  });
  test("read what they say", () => {
    expect(x.mT().toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(x.slice(1, -1, undefined, -1).toArray()).toEqual([
      [2, 1, 0],
      [5, 4, 3],
    ]);
    expect(x.slice(1, 0, 99, 2).toArray()).toEqual([
      [0, 2],
      [3, 5],
    ]);
    expect(x.flip().toArray()).toEqual([
      [5, 4, 3],
      [2, 1, 0],
    ]);
    expect(x.permute(1, 0).toArray()).toEqual(x.transpose(0, 1).toArray());
    expect(x.narrow(1, -2, 2).toArray()).toEqual([
      [1, 2],
      [4, 5],
    ]);
    expect(x.unbind(1).map((c) => c.toArray())).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(x.split([1, 2], 1).map((c) => c.shape)).toEqual([
      [2, 1],
      [2, 2],
    ]);
    expect(x.chunk(2, 1).map((c) => c.shape)).toEqual([
      [2, 2],
      [2, 1],
    ]);
    expect(x.diagonal().toArray()).toEqual([0, 4]);
    expect(x.view(3, 2).toArray()).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(zeros(2, 1, 3, 1).squeeze().shape).toEqual([2, 3]);
    expect(zeros(2, 1, 3, 1).squeeze(1).shape).toEqual([2, 3, 1]);
    expect(zeros(2, 12).unflatten(-1, [3, 4]).shape).toEqual([2, 3, 4]);
    expect(zeros(2, 3, 4).movedim([0, 1], [-1, 0]).shape).toEqual([3, 4, 2]);
    expect(zeros(3).expandAs(x).shape).toEqual([2, 3]);
  });
  test("copies that move elements", () => {
    expect(x.roll(1, 1).toArray()).toEqual([
      [2, 0, 1],
      [5, 3, 4],
    ]);
    expect(x.roll(-7).toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 0],
    ]);
    expect(x.repeat(1, 2).shape).toEqual([2, 6]);
    expect(x.tile(2).toArray()).toEqual(x.repeat(1, 2).toArray());
    expect(x.repeat(1, 1).storage).not.toBe(x.storage);
    expect(x.repeatInterleave(2).size).toBe(12);
    expect(x.pad([1, 0], { value: 9 }).toArray()).toEqual([
      [9, 0, 1, 2],
      [9, 3, 4, 5],
    ]);
    expect(x.pad([1, 1], { mode: "reflect" }).select(0, 0).toArray()).toEqual([1, 0, 1, 2, 1]);
    expect(x.pad([1, 1], { mode: "replicate" }).select(0, 0).toArray()).toEqual([0, 0, 1, 2, 2]);
    expect(x.pad([1, 1], { mode: "circular" }).select(0, 0).toArray()).toEqual([2, 0, 1, 2, 0]);
    expect(x.pad([-1, 1]).toArray()).toEqual([
      [1, 2, 0],
      [4, 5, 0],
    ]);
  });
  test("of nothing", () => {
    const none = zeros(0, 3);
    for (const y of [none.mT(), none.reshape(3, 0), none.add(1), none.repeat(2, 2), none.roll(1, 0), none.flip()])
      expect(y.size).toBe(0);
    expect(none.sum().item()).toBe(0);
    expect(none.mean().item()).toBeNaN();
    expect(none.matmul(zeros(3, 2)).shape).toEqual([0, 2]);
    expect(zeros(2, 0).matmul(zeros(0, 2)).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(cat([none, ones(2, 3)]).shape).toEqual([2, 3]);
  });
});

describe("several tensors", () => {
  test("cat and stack", () => {
    expect(cat([tensor([1]), tensor([2, 3])]).toArray()).toEqual([1, 2, 3]);
    expect(cat(Array.from({ length: 100 }, (_, i) => full([1], i))).toArray()).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect(stack([tensor([1, 2]), tensor([3, 4])], -1).toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(cat([tensor([1, 2]), tensor([true])]).dtype).toBe("f32");
  });
  test("where, masks and limits", () => {
    const x = tensor([-1, 0, 2]);
    expect(where(x.gt(0), x, 9).toArray()).toEqual([9, 9, 2]);
    expect(where(x.gt(0), 1, 0).dtype).toBe("i32");
    expect(x.where(x.gt(0), 9).toArray()).toEqual([9, 9, 2]);
    expect(x.maskedFill(x.eq(0), 5).toArray()).toEqual([-1, 5, 2]);
    expect(x.clamp(0).toArray()).toEqual([0, 0, 2]);
    expect(x.clamp(undefined, 1).toArray()).toEqual([-1, 0, 1]);
  });
  test("einsum says what matmul does", () => {
    const [a, b] = [arange(6).reshape(2, 3).float(), arange(12).reshape(3, 4).float()];
    expect(einsum("ij,jk->ik", a, b).toArray()).toEqual(a.matmul(b).toArray());
    expect(einsum("ij,jk", a, b).toArray()).toEqual(a.matmul(b).toArray());
    expect(einsum("ij->ji", a).toArray()).toEqual(a.mT().toArray());
    expect(einsum("ii", eye(3)).item()).toBe(3);
    expect(einsum("i,j->ij", tensor([1, 2]), tensor([3, 4])).toArray()).toEqual([
      [3, 4],
      [6, 8],
    ]);
  });
  test("products of fixed rank", () => {
    const a = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(a.mm(a).toArray()).toEqual([
      [7, 10],
      [15, 22],
    ]);
    expect(a.mv(tensor([1, 1])).toArray()).toEqual([3, 7]);
    expect(
      tensor([1, 2])
        .outer(tensor([3, 4]))
        .toArray(),
    ).toEqual([
      [3, 4],
      [6, 8],
    ]);
    expect(zeros(2, 2).addmm(a, a, { beta: 0, alpha: 2 }).toArray()).toEqual([
      [14, 20],
      [30, 44],
    ]);
    expect(full([2, 2], Number.NaN).addmm(a, a, { beta: 0 }).toArray()).toEqual([
      [7, 10],
      [15, 22],
    ]);
  });
  test("meshgrid", () => {
    const [x, y] = meshgrid([tensor([1, 2]), tensor([3, 4, 5])], { indexing: "xy" });
    expect([x?.toArray(), y?.toArray()]).toEqual([
      [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
      [
        [3, 3],
        [4, 4],
        [5, 5],
      ],
    ]);
  });
  test("closeness", () => {
    const x = tensor([1, Number.NaN, Number.POSITIVE_INFINITY]);
    expect(x.isclose(x).toArray()).toEqual([true, false, true]);
    expect(x.isclose(x, { equalNan: true }).toArray()).toEqual([true, true, true]);
    expect(
      tensor([Number.POSITIVE_INFINITY])
        .isclose(tensor([1]))
        .toArray(),
    ).toEqual([false]);
    expect(tensor([1, 2]).allclose(tensor([1, 2.1]))).toBe(false);
    expect(tensor([1, 2]).equal(tensor([[1, 2]]))).toBe(false);
    expect(ones([2], { dtype: "i32" }).equal(ones(2))).toBe(true);
  });
});
