// What the shape types infer, accept and refuse. Every check has its @ts-expect-error: one that vanishes fails here.

import { arange, batches, cat, crossEntropy, mse, stack, type Tensor, tensor, zeros } from "nabla";
import { describe, expectTypeOf, test } from "vitest";
import type { Dim, Promote, Shape, TypedArrayOf } from "../../lib/types/shape.ts";

type F<S extends Shape> = Tensor<S, "f32">;
declare const any: F<Shape>;
declare const rows: F<[number, 784]>;
declare const seq: F<[Dim<"batch">, Dim<"time">, 768]>;
declare const swapped: F<[Dim<"time">, Dim<"batch">, 768]>;
declare const image: F<[number, 1, 28, 28]>;
declare const axis: number;

describe("assignability", () => {
  test("known shapes fit unknown ones, never other ones", () => {
    expectTypeOf(zeros(39, 8, 1)).toExtend<Tensor>();
    expectTypeOf(zeros(32, 784)).toExtend<F<[number, number]>>();
    expectTypeOf(zeros(32, 784)).toExtend<F<[number, 784]>>();
    expectTypeOf(zeros(32, 784)).not.toExtend<F<[number, 10]>>();
    expectTypeOf(zeros(32, 784)).not.toExtend<F<[number]>>();
    expectTypeOf(rows).not.toExtend<F<[32, 784]>>();
    expectTypeOf(zeros(2)).not.toExtend<Tensor<[2], "i32">>();
  });
});

describe("broadcast", () => {
  test("sizes unify, 1 stretches, missing dims are added", () => {
    expectTypeOf(zeros(32, 1).add(zeros(1, 10))).toEqualTypeOf<F<[32, 10]>>();
    expectTypeOf(zeros(32, 10).add(zeros(10))).toEqualTypeOf<F<[32, 10]>>();
    expectTypeOf(zeros(10).add(zeros(4, 32, 10))).toEqualTypeOf<F<[4, 32, 10]>>();
    expectTypeOf(zeros(3).add(zeros())).toEqualTypeOf<F<[3]>>();
    expectTypeOf(zeros(3).add(1)).toEqualTypeOf<F<[3]>>();
    expectTypeOf(zeros(0).add(zeros(1))).toEqualTypeOf<F<[0]>>();
  });
  test("number is dynamic, unknown rank stays unknown", () => {
    expectTypeOf(rows.add(zeros(32, 784))).toEqualTypeOf<F<[32, 784]>>();
    expectTypeOf(rows.add(zeros(32, 1))).toEqualTypeOf<F<[32, 784]>>();
    expectTypeOf(any.add(zeros(3))).toEqualTypeOf<F<Shape>>();
    expectTypeOf(zeros(3).add(any)).toEqualTypeOf<F<Shape>>();
  });
  test("named sizes meet themselves and literals, not each other", () => {
    expectTypeOf(seq.add(seq)).toEqualTypeOf<typeof seq>();
    seq.add(zeros(768));
    // @ts-expect-error batch is not time
    seq.add(swapped);
  });
  test("refused", () => {
    // @ts-expect-error 784 is not 10
    zeros(32, 784).add(zeros(32, 10));
    // @ts-expect-error as a result of another operation
    zeros(32, 784).relu().mul(zeros(784, 32).relu());
    // @ts-expect-error an argument made in place keeps its literals
    rows.lt(zeros(4, 783));
  });
});

describe("matmul", () => {
  test("inner sizes meet, batches broadcast", () => {
    expectTypeOf(zeros(32, 784).matmul(zeros(784, 10))).toEqualTypeOf<F<[32, 10]>>();
    expectTypeOf(zeros(5, 1, 2, 3).matmul(zeros(4, 3, 2))).toEqualTypeOf<F<[5, 4, 2, 2]>>();
    expectTypeOf(rows.matmul(zeros(784, 10))).toEqualTypeOf<F<[number, 10]>>();
    expectTypeOf(rows.matmul(any)).toEqualTypeOf<F<Shape>>();
  });
  test("a vector loses its dim", () => {
    expectTypeOf(zeros(3).matmul(zeros(3))).toEqualTypeOf<F<[]>>();
    expectTypeOf(zeros(2, 3).matmul(zeros(3))).toEqualTypeOf<F<[2]>>();
    expectTypeOf(zeros(7, 2, 3).matmul(zeros(3))).toEqualTypeOf<F<[7, 2]>>();
    expectTypeOf(zeros(3).matmul(zeros(7, 3, 4))).toEqualTypeOf<F<[7, 4]>>();
  });
  test("refused", () => {
    // @ts-expect-error 784 is not 10
    zeros(32, 784).matmul(zeros(10, 784));
    // @ts-expect-error batches 2 and 3
    zeros(2, 4, 5).matmul(zeros(3, 5, 4));
    // @ts-expect-error vectors of 3 and 4
    zeros(3).matmul(zeros(4));
    // @ts-expect-error matrix and vector
    zeros(2, 3).matmul(zeros(2));
    // @ts-expect-error vector and matrix
    zeros(3).matmul(zeros(4, 3));
    // @ts-expect-error a scalar
    zeros().matmul(zeros(3, 3));
  });
});

describe("reductions", () => {
  test("one dim, from either end, a list, or all", () => {
    expectTypeOf(zeros(2, 3, 4).sum()).toEqualTypeOf<F<[]>>();
    expectTypeOf(zeros(2, 3, 4).sum(1)).toEqualTypeOf<F<[2, 4]>>();
    expectTypeOf(zeros(2, 3, 4).sum(-1)).toEqualTypeOf<F<[2, 3]>>();
    expectTypeOf(zeros(2, 3, 4).sum([0, -1])).toEqualTypeOf<F<[3]>>();
    expectTypeOf(zeros(2, 3, 4).sum(1, true)).toEqualTypeOf<F<[2, 1, 4]>>();
    expectTypeOf(zeros(2, 3, 4).sum([0, -1], true)).toEqualTypeOf<F<[1, 3, 1]>>();
    expectTypeOf(zeros(2, 3, 4).sum(undefined, true)).toEqualTypeOf<F<[1, 1, 1]>>();
    expectTypeOf(rows.mean(0)).toEqualTypeOf<F<[784]>>();
  });
  test("what is not literal gives an unknown shape", () => {
    expectTypeOf(zeros(2, 3).sum(axis)).toEqualTypeOf<F<Shape>>();
    expectTypeOf(any.sum(1)).toEqualTypeOf<F<Shape>>();
    expectTypeOf(zeros(2, 3).sum(0, axis > 0)).toEqualTypeOf<F<Shape>>();
  });
  test("element types", () => {
    expectTypeOf(zeros(2, 3).argmax(-1)).toEqualTypeOf<Tensor<[2], "i32">>();
    expectTypeOf(zeros(2).lt(0)).toEqualTypeOf<Tensor<[2], "bool">>();
    expectTypeOf(zeros(2).lt(0).sum()).toEqualTypeOf<Tensor<[], "i32">>();
    expectTypeOf(arange(3).mean()).toEqualTypeOf<F<[]>>();
    expectTypeOf(zeros(3).to("f64").mean()).toEqualTypeOf<Tensor<[], "f64">>();
  });
  test("refused", () => {
    // @ts-expect-error no dim 2
    zeros(2, 3).sum(2);
    // @ts-expect-error no dim -3
    zeros(2, 3).mean(-3);
    // @ts-expect-error one of the list
    zeros(2, 3).sum([0, 2]);
    // @ts-expect-error no dim 1
    zeros(2).argmax(1);
    // @ts-expect-error no dim 1
    zeros(2).softmax(1);
  });
});

describe("views", () => {
  test("reshape", () => {
    expectTypeOf(zeros(4, 6).reshape(2, 12)).toEqualTypeOf<F<[2, 12]>>();
    expectTypeOf(zeros(4, 6).reshape(-1, 12)).toEqualTypeOf<F<[number, 12]>>();
    expectTypeOf(zeros(4, 6).reshape(axis, 3)).toEqualTypeOf<F<[number, 3]>>();
    expectTypeOf(zeros(1).reshape()).toEqualTypeOf<F<[]>>();
  });
  test("transpose, mT, permute", () => {
    expectTypeOf(zeros(2, 3, 4).mT()).toEqualTypeOf<F<[2, 4, 3]>>();
    expectTypeOf(zeros(2, 3, 4).transpose(0, -1)).toEqualTypeOf<F<[4, 3, 2]>>();
    expectTypeOf(zeros(2, 3, 4).transpose(1, 1)).toEqualTypeOf<F<[2, 3, 4]>>();
    expectTypeOf(zeros(2, 3, 4).transpose(axis, 0)).toEqualTypeOf<F<Shape>>();
    expectTypeOf(zeros(2, 3, 4).permute(2, 0, 1)).toEqualTypeOf<F<[4, 2, 3]>>();
    expectTypeOf(zeros(2, 3, 4).permute(-1, 0, 1)).toEqualTypeOf<F<[4, 2, 3]>>();
    expectTypeOf(any.permute(1, 0)).toEqualTypeOf<F<Shape>>();
  });
  test("unsqueeze, squeeze", () => {
    expectTypeOf(zeros(2, 3).unsqueeze(0)).toEqualTypeOf<F<[1, 2, 3]>>();
    expectTypeOf(zeros(2, 3).unsqueeze(-1)).toEqualTypeOf<F<[2, 3, 1]>>();
    expectTypeOf(zeros(2, 3).unsqueeze(2)).toEqualTypeOf<F<[2, 3, 1]>>();
    expectTypeOf(zeros().unsqueeze(0)).toEqualTypeOf<F<[1]>>();
    expectTypeOf(zeros(2, 1, 3).squeeze(1)).toEqualTypeOf<F<[2, 3]>>();
    expectTypeOf(zeros(2, 1, 3).squeeze(-1)).toEqualTypeOf<F<[2, 1, 3]>>();
    expectTypeOf(rows.squeeze(0)).toEqualTypeOf<F<Shape>>();
    expectTypeOf(seq.squeeze(0)).toEqualTypeOf<F<Shape>>();
    expectTypeOf(zeros(2, 1).squeeze()).toEqualTypeOf<F<Shape>>();
  });
  test("expand, flatten", () => {
    expectTypeOf(zeros(3, 1).expand(3, 4)).toEqualTypeOf<F<[3, 4]>>();
    expectTypeOf(zeros(3, 1).expand(2, -1, 4)).toEqualTypeOf<F<[2, 3, 4]>>();
    expectTypeOf(any.expand(2, -1)).toEqualTypeOf<F<[2, number]>>();
    expectTypeOf(image.flatten(1)).toEqualTypeOf<F<[number, number]>>();
    expectTypeOf(zeros(2, 3, 4, 5).flatten(1, 2)).toEqualTypeOf<F<[2, number, 5]>>();
    expectTypeOf(zeros(2, 3).flatten(1)).toEqualTypeOf<F<[2, 3]>>();
    expectTypeOf(zeros(2, 3).flatten()).toEqualTypeOf<F<[number]>>();
    expectTypeOf(zeros().flatten()).toEqualTypeOf<F<[1]>>();
  });
  test("unbind gives a tuple", () => {
    expectTypeOf(zeros(3, 8).unbind()).toEqualTypeOf<[F<[8]>, F<[8]>, F<[8]>]>();
    expectTypeOf(zeros(8, 2).unbind(-1)).toEqualTypeOf<[F<[8]>, F<[8]>]>();
    expectTypeOf(rows.unbind()).toEqualTypeOf<F<[784]>[]>();
    expectTypeOf(zeros(1000, 2).unbind()).toEqualTypeOf<F<[2]>[]>();
    expectTypeOf(any.unbind()).toEqualTypeOf<F<Shape>[]>();
  });
  test("refused", () => {
    // @ts-expect-error two dims for a tensor of three
    zeros(2, 3, 4).permute(1, 0);
    // @ts-expect-error no dim 3
    zeros(2, 3, 4).permute(3, 0, 1);
    // @ts-expect-error no dim 3
    zeros(2, 3, 4).transpose(0, 3);
    // @ts-expect-error no dim 4 to insert at
    zeros(2, 3).unsqueeze(4);
    // @ts-expect-error no dim 2
    zeros(2, 3).squeeze(2);
    // @ts-expect-error 3 does not stretch to 2
    zeros(3, 1).expand(2, 4);
    // @ts-expect-error fewer dims
    zeros(3, 1).expand(4);
    // @ts-expect-error no size for a new dim
    zeros(3).expand(-1, 3);
    // @ts-expect-error no dim 2
    zeros(2, 3).unbind(2);
    // @ts-expect-error no dim 2
    zeros(2, 3).flatten(2);
  });
});

describe("selection", () => {
  test("one dim changes", () => {
    expectTypeOf(zeros(60000, 784).slice(0, 0, 100)).toEqualTypeOf<F<[number, 784]>>();
    expectTypeOf(zeros(60000, 784).indexSelect(0, arange(32))).toEqualTypeOf<F<[32, 784]>>();
    expectTypeOf(zeros(4, 10).gather(1, arange(4).unsqueeze(1))).toEqualTypeOf<F<[4, 1]>>();
    expectTypeOf(arange(4).oneHot(10)).toEqualTypeOf<Tensor<[4, 10], "i32">>();
  });
  test("refused", () => {
    // @ts-expect-error an index is not f32
    zeros(4, 10).indexSelect(0, zeros(2));
    // @ts-expect-error no dim 2
    zeros(4, 10).indexSelect(2, arange(2));
  });
});

describe("cat and stack", () => {
  test("sizes add", () => {
    expectTypeOf(cat([zeros(2, 3), zeros(4, 3)])).toEqualTypeOf<F<[6, 3]>>();
    expectTypeOf(cat([zeros(2, 768), zeros(2, 2304), zeros(2, 1)], -1)).toEqualTypeOf<F<[2, 3073]>>();
    expectTypeOf(cat([zeros(999), zeros(1)])).toEqualTypeOf<F<[1000]>>();
    expectTypeOf(cat([zeros(0), zeros(50257)])).toEqualTypeOf<F<[50257]>>();
    expectTypeOf(cat([rows, zeros(4, 784)])).toEqualTypeOf<F<[number, 784]>>();
    expectTypeOf(cat([rows, rows], 1)).toEqualTypeOf<F<[number, 1568]>>();
    expectTypeOf(cat([any, zeros(2, 784)])).toEqualTypeOf<F<[number, 784]>>();
    expectTypeOf(cat([zeros(2, 784)])).toEqualTypeOf<F<[2, 784]>>();
    expectTypeOf(cat([zeros(2, 3)].concat(zeros(2, 3)))).toEqualTypeOf<F<[number, 3]>>();
    expectTypeOf(cat([] as Tensor[])).toEqualTypeOf<Tensor>();
    expectTypeOf(stack([zeros(2, 3), zeros(2, 3)])).toEqualTypeOf<F<[2, 2, 3]>>();
    expectTypeOf(stack([zeros(2), zeros(2), zeros(2)], -1)).toEqualTypeOf<F<[2, 3]>>();
    expectTypeOf(stack([any, zeros(2)])).toEqualTypeOf<F<[2, 2]>>();
  });
  test("refused", () => {
    // @ts-expect-error 3 and 4 outside dim 0
    cat([zeros(2, 3), zeros(2, 4)]);
    // @ts-expect-error ranks
    cat([zeros(2, 3), zeros(3)]);
    // @ts-expect-error no dim 2
    cat([zeros(2, 3), zeros(2, 3)], 2);
    // @ts-expect-error stack wants equal shapes
    stack([zeros(2), zeros(3)]);
  });
});

describe("nested arrays", () => {
  test("shape and element type", () => {
    expectTypeOf(
      tensor([
        [0, 0],
        [0, 1],
      ]),
    ).toEqualTypeOf<F<[2, 2]>>();
    expectTypeOf(tensor([[[1], [2], [3]]])).toEqualTypeOf<F<[1, 3, 1]>>();
    expectTypeOf(tensor(3)).toEqualTypeOf<F<[]>>();
    expectTypeOf(tensor([])).toEqualTypeOf<F<[0]>>();
    expectTypeOf(tensor([true, false])).toEqualTypeOf<Tensor<[2], "bool">>();
    expectTypeOf(tensor([1, 2], { dtype: "i32" })).toEqualTypeOf<Tensor<[2], "i32">>();
    expectTypeOf(tensor(new Float32Array(4))).toEqualTypeOf<F<[number]>>();
    expectTypeOf(tensor(new Float64Array(4))).toEqualTypeOf<Tensor<[number], "f64">>();
    expectTypeOf(tensor([new Uint8Array(4), new Uint8Array(4)])).toEqualTypeOf<Tensor<[2, number], "u8">>();
    const table: number[][] = [[1]];
    expectTypeOf(tensor(table)).toEqualTypeOf<F<[number, number]>>();
    expectTypeOf(tensor([table[0] as number[], [1, 2]])).toEqualTypeOf<F<[2, number]>>();
  });
  test("refused", () => {
    // @ts-expect-error rows of 2 and 1
    tensor([[0, 0], [0]]);
    // @ts-expect-error a number beside a row
    tensor([[0, 0], 1]);
    // @ts-expect-error ragged one level down
    tensor([
      [
        [1, 2],
        [3, 4],
      ],
      [[1, 2], [3]],
    ]);
    // @ts-expect-error numbers and booleans
    tensor([1, true]);
    // @ts-expect-error a string is no number
    tensor(["1"]);
    // @ts-expect-error four points, three answers
    mse(tensor([[0], [1], [1], [0]]), tensor([[0], [1], [1]]));
  });
});

describe("losses and data", () => {
  test("labels follow the logits", () => {
    crossEntropy(zeros(32, 10), zeros(32).to("i32"));
    crossEntropy(zeros(4, 64, 50257), zeros(4, 64).to("i32"));
    crossEntropy(zeros(10), zeros().to("i32"));
    crossEntropy(zeros(32, 10), zeros(32, 10));
    crossEntropy(zeros(32, 10), zeros(number()).to("u8"));
    crossEntropy(any, zeros(32).to("i32"));
    crossEntropy(zeros(32, 10), any as Tensor);
    // @ts-expect-error 16 labels
    crossEntropy(zeros(32, 10), zeros(16).to("i32"));
    // @ts-expect-error float labels
    crossEntropy(zeros(32, 10), zeros(32));
    // @ts-expect-error labels with a dim too many
    crossEntropy(zeros(32, 10), zeros(32, 1).to("i32"));
  });
  test("mse does not broadcast", () => {
    mse(zeros(4, 1), zeros(4, 1));
    mse(rows, zeros(32, 784));
    // @ts-expect-error [4, 1] and [4] would give [4, 4]
    mse(zeros(4, 1), zeros(4));
  });
  test("inputs and targets pair up", () => {
    batches(zeros(60000, 784), zeros(60000));
    batches(any, zeros(60000));
    // @ts-expect-error 10,000 targets
    batches(zeros(60000, 784), zeros(10000));
  });
});

describe("element types", () => {
  test("promotion", () => {
    expectTypeOf<Promote<"f32", "f32">>().toEqualTypeOf<"f32">();
    expectTypeOf<Promote<"i32", "f32">>().toEqualTypeOf<"f32">();
    expectTypeOf<Promote<"f64", "f32">>().toEqualTypeOf<"f64">();
    expectTypeOf<Promote<"bool", "u8">>().toEqualTypeOf<"u8">();
    expectTypeOf(zeros(2).add(arange(2))).toEqualTypeOf<F<[2]>>();
    expectTypeOf(arange(2).add(zeros(2) as Tensor)).toEqualTypeOf<Tensor>();
  });
  test("data is a typed array", () => {
    expectTypeOf(zeros(2).data()).resolves.toEqualTypeOf<Float32Array>();
    expectTypeOf<TypedArrayOf<"i32">>().toEqualTypeOf<Int32Array>();
    expectTypeOf<TypedArrayOf<"bool">>().toEqualTypeOf<Uint8Array>();
  });
});

declare function number(): number;
