// What convolutions, attention and transformers infer, accept and refuse.
import {
  BertForSequenceClassification,
  Conv1d,
  Conv2d,
  ConvTranspose2d,
  conv1d,
  conv2d,
  convTranspose2d,
  Embedding,
  Flatten,
  GPT2,
  Linear,
  linearCrossEntropy,
  MaxPool2d,
  MultiheadAttention,
  ReLU,
  ResNet,
  RMSNorm,
  RotaryPosition,
  randn,
  Seq2Seq,
  Sequential,
  SinusoidalPosition,
  SwiGLU,
  scaledDotProductAttention,
  sequenceLogProb,
  type Tensor,
  Transformer,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
  zeros,
} from "nabla";
import { describe, expectTypeOf, test } from "vitest";
import type { Shape } from "../../lib/types/shape.ts";

type F<S extends Shape> = Tensor<S, "f32">;
declare const any: F<Shape>;
declare const n: number;

describe("convolution", () => {
  const x = zeros(8, 3, 32, 32);
  test("channels are checked and replaced, positions become unknown, the batch stays", () => {
    expectTypeOf(new Conv2d(3, 16, 3).forward(x)).toEqualTypeOf<F<[8, 16, number, number]>>();
    expectTypeOf(new Conv2d(3, 16, 3).forward(zeros(3, 32, 32))).toEqualTypeOf<F<[16, number, number]>>();
    expectTypeOf(new Conv2d(n, 16, 3).forward(x)).toEqualTypeOf<F<[8, 16, number, number]>>();
    expectTypeOf(new Conv2d(3, 16, 3).forward(any)).toEqualTypeOf<F<Shape>>();
    expectTypeOf(new Conv1d(4, 8, 5).forward(zeros(2, 4, 100))).toEqualTypeOf<F<[2, 8, number]>>();
    expectTypeOf(new ConvTranspose2d(3, 5, 4).forward(x)).toEqualTypeOf<F<[8, 5, number, number]>>();
  });
  test("as functions of a weight", () => {
    expectTypeOf(conv2d(x, zeros(16, 3, 3, 3))).toEqualTypeOf<F<[8, 16, number, number]>>();
    expectTypeOf(conv2d(x, any)).toEqualTypeOf<F<[8, number, number, number]>>();
    expectTypeOf(conv2d(any, zeros(16, 3, 3, 3))).toEqualTypeOf<F<Shape>>();
    expectTypeOf(conv2d(x, zeros(6, 1, 3, 3), null, { groups: 3 })).toEqualTypeOf<F<[8, 6, number, number]>>();
    expectTypeOf(conv1d(zeros(4, 9), zeros(2, 4, 3), zeros(2))).toEqualTypeOf<F<[2, number]>>();
    expectTypeOf(convTranspose2d(x, zeros(3, 5, 2, 2))).toEqualTypeOf<F<[8, 5, number, number]>>();
    expectTypeOf(convTranspose2d(x, zeros(3, 5, 2, 2), null, { groups: 3 })).toEqualTypeOf<
      F<[8, number, number, number]>
    >();
  });
  test("in a chain", () => {
    const net = new Sequential(new Conv2d(3, 8, 3), new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(1800, 10));
    expectTypeOf(net.forward(x)).toEqualTypeOf<F<Shape>>();
    expectTypeOf(new ResNet({ blocks: [1] }).forward(x)).toEqualTypeOf<F<[number, number]>>();
  });
  test("refused", () => {
    // @ts-expect-error 3 channels
    new Conv2d(1, 16, 3).forward(x);
    // @ts-expect-error no height
    new Conv2d(3, 16, 3).forward(zeros(3, 32));
    // @ts-expect-error one dimension too many
    new Conv1d(3, 16, 3).forward(x);
    // @ts-expect-error the weight takes 4 channels
    conv2d(x, zeros(16, 4, 3, 3));
    // @ts-expect-error the weight has no window
    conv2d(x, zeros(16, 3));
    // @ts-expect-error a weight of two dimensions of positions
    conv1d(zeros(2, 4, 9), zeros(2, 4, 3, 3));
    // @ts-expect-error the weight of a transposed convolution has its inputs first
    convTranspose2d(x, zeros(5, 3, 2, 2));
  });
});

describe("attention and transformers", () => {
  const x = zeros(2, 5, 16);
  test("sequences in, sequences out", () => {
    const [q, k, v] = [zeros(2, 4, 5, 8), zeros(2, 4, 7, 8), zeros(2, 4, 7, 3)];
    expectTypeOf(scaledDotProductAttention(q, k, v)).toEqualTypeOf<F<[2, 4, 5, 3]>>();
    expectTypeOf(scaledDotProductAttention(q, any, any)).toEqualTypeOf<F<[2, 4, 5, number]>>();
    expectTypeOf(scaledDotProductAttention(any, k, v)).toEqualTypeOf<F<Shape>>();
    // @ts-expect-error keys of 3 numbers
    scaledDotProductAttention(q, v, v);
    // @ts-expect-error 5 values for 7 keys
    scaledDotProductAttention(q, k, q);
    expectTypeOf(new MultiheadAttention(16, 4).forward(x)).toEqualTypeOf<F<[2, 5, 16]>>();
    expectTypeOf(new MultiheadAttention(16, 4).forward(x, any, any)).toEqualTypeOf<F<[2, 5, 16]>>();
    // @ts-expect-error 8 numbers a token
    new MultiheadAttention(16, 4).forward(zeros(2, 5, 8));
    // @ts-expect-error 8 numbers a token of the keys
    new MultiheadAttention(16, 4).forward(x, zeros(2, 5, 8));
    expectTypeOf(new MultiheadAttention(16, 4).attend(x)).toEqualTypeOf<{ y: Tensor; weights: Tensor }>();
    expectTypeOf(new TransformerEncoderLayer(16, 4).forward(x)).toEqualTypeOf<F<[2, 5, 16]>>();
    expectTypeOf(new TransformerDecoderLayer(16, 4).forward(x, zeros(2, 9, 16))).toEqualTypeOf<F<[2, 5, 16]>>();
    expectTypeOf(new TransformerEncoder(16, 4, 2).forward(any)).toEqualTypeOf<F<Shape>>();
    expectTypeOf(new Transformer(16, 4).forward(zeros(2, 9, 16), x)).toEqualTypeOf<F<[2, 5, 16]>>();
    expectTypeOf(new Transformer(n, 4).forward(x, x)).toEqualTypeOf<F<[2, 5, 16]>>();
    expectTypeOf(new SwiGLU(16, 44).forward(x)).toEqualTypeOf<F<[2, 5, 16]>>();
    expectTypeOf(new RotaryPosition(8, 16).forward(x)).toEqualTypeOf<F<[2, 5, 16]>>();
    expectTypeOf(new SinusoidalPosition(8, 16).forward(x)).toEqualTypeOf<F<[2, 5, 16]>>();
    expectTypeOf(new RMSNorm(16).forward(x)).toEqualTypeOf<F<[2, 5, 16]>>();
    expectTypeOf(new Embedding(50, 16).forward(zeros([2, 5], { dtype: "i32" }))).toEqualTypeOf<F<[2, 5, 16]>>();
  });
  test("in a chain", () => {
    const net = new Sequential(new Linear(8, 16), new TransformerEncoderLayer(16, 4), new Linear(16, 3));
    expectTypeOf(net.forward(zeros(2, 5, 8))).toEqualTypeOf<F<[2, 5, 3]>>();
    // @ts-expect-error 12 numbers into a layer of 16
    new Sequential(new Linear(8, 12), new TransformerEncoder(16, 4, 2));
  });
  test("refused", () => {
    // @ts-expect-error 8 numbers a token
    new TransformerEncoderLayer(16, 4).forward(zeros(2, 5, 8));
    // @ts-expect-error 8 numbers a token in the memory
    new TransformerDecoder(16, 4, 2).forward(x, zeros(2, 9, 8));
    // @ts-expect-error 8 numbers a token of the source
    new Transformer(16, 4).forward(zeros(2, 9, 8), x);
    // @ts-expect-error 8 numbers a token
    new SwiGLU(16, 44).forward(zeros(2, 5, 8));
    // @ts-expect-error heads of 4 numbers
    new RotaryPosition(8, 16).forward(zeros(2, 2, 5, 4));
  });
  test("losses are numbers, scores of texts vectors", () => {
    expectTypeOf(linearCrossEntropy(x, zeros(50, 16), zeros([2, 5], { dtype: "i32" }))).toEqualTypeOf<F<[]>>();
    expectTypeOf(sequenceLogProb(any, any)).toEqualTypeOf<F<[number]>>();
    expectTypeOf(new GPT2("gpt2").loss(any, any)).toEqualTypeOf<F<[]>>();
  });
  test("masks and options by their names", () => {
    new Transformer(16, 4).forward(x, x, { source: { keyMask: any }, target: { causal: false } });
    // @ts-expect-error there is no such view
    new Transformer(16, 4).forward(x, x, { encoder: { keyMask: any } });
    // @ts-expect-error a mask is a tensor
    scaledDotProductAttention(any, any, any, { mask: [[true]] });
    // @ts-expect-error there is no such activation
    new TransformerEncoderLayer(16, 4, { activation: "tanh" });
    // @ts-expect-error the norm in this layer is for 16 numbers
    new RMSNorm(16).forward(randn(2, 5, 8));
  });
  test("models take their configuration whole, or a preset's name", () => {
    expectTypeOf(
      new Seq2Seq({ vocabSize: 9, contextLength: 8, layers: [1, 2], heads: 1, width: 4 }).config.layers,
    ).toEqualTypeOf<readonly [number, number]>();
    // @ts-expect-error there is no such preset
    new GPT2("gpt3");
    // @ts-expect-error the width is missing
    new GPT2({ vocabSize: 9, contextLength: 8, layers: 1, heads: 1 });
    // @ts-expect-error so many classes as what?
    new BertForSequenceClassification("bert-base-uncased");
  });
});
