// What layers and chains of layers infer, accept and refuse.

import {
  arange,
  Flatten,
  GELU,
  LayerNorm,
  Linear,
  Module,
  type Parameter,
  ReLU,
  Sequential,
  type Tensor,
  zeros,
} from "nabla";
import { describe, expectTypeOf, test } from "vitest";
import type { Shape } from "../../lib/types/shape.ts";
import { Conv2d, Embedding } from "./sketch.ts";

type F<S extends Shape> = Tensor<S, "f32">;
declare const any: F<Shape>;
declare const width: number;

class Rows extends Module {
  fc1 = new Linear(784, 100);
  fc2 = new Linear(100, 10);
  forward(x: F<[number, 784]>) {
    return this.fc2.forward(this.fc1.forward(x).relu());
  }
}

describe("layers", () => {
  test("the last size is checked and replaced", () => {
    expectTypeOf(new Linear(784, 10).forward(zeros(32, 784))).toEqualTypeOf<F<[32, 10]>>();
    expectTypeOf(new Linear(784, 10).forward(any)).toEqualTypeOf<F<Shape>>();
    expectTypeOf(new Linear(width, 10).forward(zeros(32, 784))).toEqualTypeOf<F<[32, 10]>>();
    expectTypeOf(new Linear(784, 10).weight).toEqualTypeOf<Parameter<[10, 784], "f32">>();
    expectTypeOf(new LayerNorm(8).forward(zeros(2, 8))).toEqualTypeOf<F<[2, 8]>>();
    expectTypeOf(new Embedding(1000, 64).forward(arange(16))).toEqualTypeOf<F<[16, 64]>>();
    expectTypeOf(new Flatten().forward(zeros(32, 1, 28, 28))).toEqualTypeOf<F<[32, number]>>();
  });
  test("the types of a user's module come out of its forward", () => {
    expectTypeOf(new Rows().forward(zeros(32, 784))).toEqualTypeOf<F<[number, 10]>>();
  });
  test("refused", () => {
    // @ts-expect-error 100 features
    new Linear(784, 10).forward(zeros(32, 100));
    // @ts-expect-error a scalar
    new Linear(784, 10).forward(zeros());
    // @ts-expect-error 9 features
    new LayerNorm(8).forward(zeros(2, 9));
    // @ts-expect-error ids are integers
    new Embedding(1000, 64).forward(zeros(16));
    // @ts-expect-error 783 pixels
    new Rows().forward(zeros(32, 783));
  });
});

describe("Sequential", () => {
  const mlp = new Sequential(new Linear(784, 128), new ReLU(), new Linear(128, 10));
  test("takes what the first takes and gives what the last gives", () => {
    expectTypeOf(mlp.forward(zeros(32, 784))).toEqualTypeOf<F<[32, 10]>>();
    expectTypeOf(mlp.inFeatures).toEqualTypeOf<784>();
    expectTypeOf(mlp.outFeatures).toEqualTypeOf<10>();
    expectTypeOf(new Sequential(new ReLU(), mlp, new GELU()).forward(zeros(32, 784))).toEqualTypeOf<F<[32, 10]>>();
    expectTypeOf(new Sequential(new ReLU(), new GELU()).forward(zeros(32, 784))).toEqualTypeOf<F<[32, 784]>>();
    expectTypeOf(new Sequential().forward(zeros(32, 784))).toEqualTypeOf<F<[32, 784]>>();
  });
  test("a flattened image", () => {
    const net = new Sequential(new Flatten(), new Linear(784, 10));
    expectTypeOf(net.forward(zeros(32, 1, 28, 28))).toEqualTypeOf<F<[32, 10]>>();
    expectTypeOf(new Sequential(net, new ReLU()).forward(zeros(32, 1, 28, 28))).toEqualTypeOf<F<[32, 10]>>();
  });
  test("a layer that says nothing makes the shape unknown", () => {
    const net = new Sequential(new Conv2d(1, 8, 3), new ReLU(), new Flatten(), new Linear(5408, 10));
    expectTypeOf(net.inFeatures).toEqualTypeOf<number>();
    expectTypeOf(net.forward(zeros(32, 1, 28, 28))).toEqualTypeOf<F<Shape>>();
  });
  test("a user's module speaks through its forward", () => {
    const net = new Sequential(new Rows(), new ReLU());
    expectTypeOf(net.inFeatures).toEqualTypeOf<784>();
    expectTypeOf(net.outFeatures).toEqualTypeOf<10>();
    expectTypeOf(net.forward(zeros(32, 784))).toEqualTypeOf<F<[number, 10]>>();
  });
  test("a list of unknown length is not checked", () => {
    const list: Module[] = [new ReLU()];
    expectTypeOf(new Sequential(...list).forward(zeros(32, 784))).toEqualTypeOf<F<Shape>>();
    expectTypeOf(new Sequential(new Linear(784, 10), ...list).inFeatures).toEqualTypeOf<784>();
  });
  test("refused", () => {
    // @ts-expect-error 128 features into 100
    new Sequential(new Linear(784, 128), new ReLU(), new Linear(100, 10));
    // @ts-expect-error into a chain
    new Sequential(new Linear(2, 3), mlp);
    // @ts-expect-error out of a chain
    new Sequential(mlp, new Linear(11, 3));
    // @ts-expect-error into a user's module
    new Sequential(new Linear(2, 3), new Rows());
    // @ts-expect-error out of a user's module
    new Sequential(new Rows(), new Linear(11, 3));
    // @ts-expect-error 100 features into the chain
    mlp.forward(zeros(32, 100));
  });
});
