// A vision transformer: Hugging Face's names, patches where they belong, digits learned.
import {
  AdamW,
  accuracy,
  compile,
  cosine,
  crossEntropy,
  digits,
  noGrad,
  rand,
  seed,
  type Tensor,
  tensor,
  ViT,
} from "nabla";
import { beforeEach, expect, it } from "vitest";
import { code } from "../code.ts";

beforeEach(() => seed(2));

const small = { imageSize: 4, patchSize: 2, channels: 3, classes: 5, layers: 1, heads: 2, width: 8, hidden: 12 };

it("has the parameters of ViTForImageClassification", () => {
  const shapes = [...new ViT(small).stateDict()].map(([name, x]) => `${name} ${x.shape}`);
  const layer = "vit.encoder.layer.0";
  const dense = (name: string, from: number, to: number) => [`${name}.weight ${to},${from}`, `${name}.bias ${to}`];
  const expected = [
    "vit.embeddings.cls_token 1,1,8",
    "vit.embeddings.position_embeddings 1,5,8",
    "vit.embeddings.patch_embeddings.projection.weight 8,3,2,2",
    "vit.embeddings.patch_embeddings.projection.bias 8",
    ...["query", "key", "value"].flatMap((part) => dense(`${layer}.attention.attention.${part}`, 8, 8)),
    ...dense(`${layer}.attention.output.dense`, 8, 8),
    ...dense(`${layer}.intermediate.dense`, 8, 12),
    ...dense(`${layer}.output.dense`, 12, 8),
    ...["layernorm_before", "layernorm_after"].flatMap((n) => [`${layer}.${n}.weight 8`, `${layer}.${n}.bias 8`]),
    "vit.layernorm.weight 8",
    "vit.layernorm.bias 8",
    ...dense("classifier", 8, 5),
  ];
  expect(shapes.sort()).toEqual(expected.sort());
});

it("sees patches row by row: without layers, a vector is the linear map of its patch", () => {
  const model = new ViT(small).eval();
  const picture = rand(1, 3, 4, 4) as Tensor;
  const { projection } = model.vit.embeddings.patch_embeddings;
  const tokens = noGrad(() => model.vit.embeddings.forward(picture)).sub(model.vit.embeddings.position_embeddings);
  // The patch right above: rows 0 and 1, columns 2 and 3.
  const patch = picture.slice(2, 0, 2).slice(3, 2, 4).reshape(1, 12) as Tensor;
  const by = (projection.weight as Tensor).reshape(8, 12).mT() as Tensor;
  const expected = noGrad(() => patch.matmul(by).add(projection.bias as Tensor)) as Tensor;
  const got = tokens.select(1, 2).contiguous().dataSync() as Float32Array;
  for (const [i, x] of (expected.dataSync() as Float32Array).entries()) expect(got[i]).toBeCloseTo(x, 5);
  const first = tokens.select(1, 0).contiguous().dataSync() as Float32Array;
  const cls = model.vit.embeddings.cls_token.contiguous().dataSync() as Float32Array;
  for (const [i, x] of cls.entries()) expect(first[i]).toBeCloseTo(x, 6);
});

it("learns digits in a compiled step", async () => {
  const [count, size, steps] = [4000, 50, 400];
  const { images, labels } = digits(count + 500);
  const x = tensor(Float32Array.from(images.data, (byte) => byte / 128 - 0.5)).reshape(-1, 1, 28, 28) as Tensor;
  const y = tensor(Int32Array.from(labels.data)) as Tensor;
  const part = (from: number, to: number) =>
    [x, y].map((t) => t.slice(0, from, to).contiguous() as Tensor) as [Tensor, Tensor];
  const sizes = { layers: 2, heads: 4, width: 32, hidden: 64, std: 0.1 };
  const model = new ViT({ imageSize: 28, patchSize: 7, channels: 1, classes: 10, ...sizes });
  const opt = new AdamW(model, { lr: 3e-3, weightDecay: 0.05, decay: (p) => p.ndim >= 2 });
  const rate = cosine({ from: 3e-3, to: 1e-4, steps, warmup: 30 });
  using step = compile((a: Tensor, b: Tensor) => {
    const loss = crossEntropy(model.forward(a), b);
    opt.zeroGrad();
    loss.backward();
    opt.step();
    return loss;
  });
  for (let i = 0; i < steps; i++) {
    opt.lr = rate(i);
    const from = (i * size) % count;
    await step(...part(from, from + size));
  }
  const [unseen, answers] = part(count, count + 500);
  // 93 % as this was written.
  expect(
    accuracy(
      noGrad(() => model.eval().forward(unseen)),
      answers,
    ).item(),
  ).toBeGreaterThan(0.88);
});

it("refuses what does not fit", () => {
  const model = new ViT(small);
  for (const shape of [
    [1, 3, 4, 5],
    [1, 1, 4, 4],
    [3, 4, 4],
  ])
    expect(code(() => model.forward(rand(shape) as Tensor))).toBe("ERR_NABLA_SHAPE");
  expect(code(() => new ViT({ ...small, patchSize: 3 }))).toBe("ERR_NABLA_VALUE");
  expect(code(() => new ViT({ ...small, heads: 3 }))).toBe("ERR_NABLA_VALUE");
  expect(code(() => new ViT("vit-small-13" as never))).toBe("ERR_NABLA_VALUE");
});
