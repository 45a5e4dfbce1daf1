// What loaders, folders, token files and transforms infer, accept and refuse.
import { batches, collate, DataLoader, imageFolder, openTokens, rand, type Tensor, transforms, zeros } from "nabla";
import { describe, expectTypeOf, test } from "vitest";

type F<S extends number[]> = Tensor<S, "f32">;
type I<S extends number[]> = Tensor<S, "i32">;
declare const flat: F<[32, 784]>;

describe("data", () => {
  test("samples become batches", () => {
    expectTypeOf(collate([[zeros(3, 8), 1] as const])).toEqualTypeOf<[F<[number, 3, 8]>, I<[number]>]>();
    const data = new DataLoader({ length: 2, get: async (i: number) => [zeros(3), i] as const }, { size: 2 });
    expectTypeOf(data[Symbol.asyncIterator]().next()).resolves.toEqualTypeOf<
      IteratorResult<[F<[number, 3]>, I<[number]>], void>
    >();
  });
  test("folders know channels and sizes", () => {
    const folder = () => imageFolder("photos", { size: [32, 48], channels: 1 });
    expectTypeOf<Awaited<ReturnType<Awaited<ReturnType<typeof folder>>["get"]>>>().toEqualTypeOf<
      readonly [F<[1, 32, 48]>, number]
    >();
    // @ts-expect-error two channels
    imageFolder("photos", { size: [32, 32], channels: 2 });
    // @ts-expect-error one size
    imageFolder("photos", { size: [32] });
  });
  test("token files know their context", () => {
    const tokens = () => openTokens("all.bin", { context: 64 });
    expectTypeOf<Awaited<ReturnType<Awaited<ReturnType<typeof tokens>>["get"]>>>().toEqualTypeOf<
      readonly [I<[64]>, I<[64]>]
    >();
    // @ts-expect-error no context
    openTokens("all.bin", {});
  });
  test("transforms keep shapes, crops replace height and width", () => {
    const augment = transforms.compose(transforms.randomHorizontalFlip(), transforms.normalize([0], [1]));
    expectTypeOf(augment(rand(8, 3, 32, 32))).toEqualTypeOf<F<[8, 3, 32, 32]>>();
    expectTypeOf(transforms.randomCrop([24, 16])(rand(8, 3, 32, 32))).toEqualTypeOf<F<[8, 3, 24, 16]>>();
    // @ts-expect-error no pictures
    augment(flat);
    // @ts-expect-error whole numbers
    augment(zeros([1, 1, 2, 2], { dtype: "i32" }));
    batches(rand(8, 1, 4, 4), zeros(8), { transform: augment });
    // @ts-expect-error rows are no pictures
    batches(flat, zeros(32), { transform: augment });
  });
});
