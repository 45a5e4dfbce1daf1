// Stacks of transformer layers: PyTorch's names, masks that fill up a batch, tokens one by one.
import {
  compile,
  KVCache,
  noGrad,
  randn,
  seed,
  type Tensor,
  Transformer,
  TransformerDecoder,
  TransformerEncoder,
  tensor,
} from "nabla";
import { beforeEach, describe, expect, it } from "vitest";
import { code } from "../code.ts";

beforeEach(() => seed(11));

const list = (x: Tensor): number[] => [...(x.contiguous().dataSync() as Float32Array)];
const slots = (from: number, to: number) =>
  tensor(
    Array.from({ length: to - from }, (_, i) => from + i),
    { dtype: "i32" },
  ) as Tensor;

describe("Transformer", () => {
  it("has the parameters of torch.nn.Transformer", () => {
    const shapes = [...new Transformer(4, 2, { encoderLayers: 1, decoderLayers: 1, hidden: 6 }).stateDict()];
    const attention = (name: string) => [
      `${name}.in_proj_weight 12,4`,
      `${name}.in_proj_bias 12`,
      `${name}.out_proj.weight 4,4`,
      `${name}.out_proj.bias 4`,
    ];
    const feed = (name: string) => [
      `${name}.linear1.weight 6,4`,
      `${name}.linear1.bias 6`,
      `${name}.linear2.weight 4,6`,
      `${name}.linear2.bias 4`,
    ];
    const norms = (...names: string[]) => names.flatMap((name) => [`${name}.weight 4`, `${name}.bias 4`]);
    const [e, d] = ["encoder.layers.0", "decoder.layers.0"];
    const expected = [
      ...attention(`${e}.self_attn`),
      ...feed(e),
      ...norms(`${e}.norm1`, `${e}.norm2`, "encoder.norm"),
      ...attention(`${d}.self_attn`),
      ...attention(`${d}.multihead_attn`),
      ...feed(d),
      ...norms(`${d}.norm1`, `${d}.norm2`, `${d}.norm3`, "decoder.norm"),
    ];
    expect(shapes.map(([name, x]) => `${name} ${x.shape}`).sort()).toEqual(expected.sort());
  });
  it("does not see what only fills up a source, nor what comes later in a target", () => {
    const model = new Transformer(8, 2, { encoderLayers: 2, decoderLayers: 2 }).eval();
    const [source, target] = [randn(1, 3, 8), randn(1, 4, 8)];
    const keyMask = tensor([[true, true, true, false, false]]) as Tensor;
    const filled = source.pad([0, 0, 0, 2, 0, 0], { value: 5 }) as Tensor;
    const whole = list(model.forward(source, target));
    const masked = list(model.forward(filled, target, { source: { keyMask } }));
    masked.forEach((x, i) => {
      expect(x).toBeCloseTo(whole[i]!, 5);
    });
    expect(list(model.forward(filled, target))[0]).not.toBeCloseTo(whole[0]!, 5);
    const start = model.forward(source, target.slice(1, 0, 2) as Tensor);
    list(start).forEach((x, i) => {
      expect(x).toBeCloseTo(whole[i]!, 5);
    });
    const open = model.forward(source, target, { target: {} });
    expect(list(open)[0]).not.toBeCloseTo(whole[0]!, 5);
  });
  it("trains as a compiled step, bit for bit as eagerly", () => {
    const model = new Transformer(8, 2, { encoderLayers: 1, decoderLayers: 2, dropout: 0, normFirst: true });
    const f = (a: Tensor, b: Tensor) => {
      model.zeroGrad();
      const y = model.forward(a, b).square().mean();
      y.backward();
      return model.parameters().map((p) => p.grad as Tensor);
    };
    const [source, target] = [randn(2, 5, 8), randn(2, 3, 8)];
    using step = compile(f);
    const runs = [step.sync(source, target), step.sync(source, target), step.sync(source, target), f(source, target)];
    const [first, ...rest] = runs.map((grads) => (grads as Tensor[]).map(list));
    expect(first!.flat().some((g) => g !== 0)).toBe(true);
    for (const other of rest) expect(other).toEqual(first);
  });
});

describe("TransformerEncoder", () => {
  it("is its layers, and a norm behind where layers normalise first", () => {
    const x = randn(2, 3, 8);
    const after = new TransformerEncoder(8, 2, 2).eval();
    expect(after.norm).toBe(null);
    const [a, b] = after.layers;
    expect(list(after.forward(x))).toEqual(list(b!.forward(a!.forward(x))));
    const before = new TransformerEncoder(8, 2, 1, { normFirst: true }).eval();
    expect(list(before.forward(x))).toEqual(list(before.norm!.forward(before.layers[0]!.forward(x)) as Tensor));
  });
  it("refuses no layers", () => {
    expect(code(() => new TransformerEncoder(8, 2, 0))).toBe("ERR_NABLA_VALUE");
    expect(code(() => new TransformerDecoder(8, 2, 1.5))).toBe("ERR_NABLA_VALUE");
  });
});

describe("TransformerDecoder", () => {
  it("resumes with the bits of the whole pass, neighbours sharing a memory", () => {
    const decoder = new TransformerDecoder(8, 2, 2, { normFirst: true }).eval();
    const [memory, x] = [randn(2, 5, 8), randn(4, 6, 8)];
    const keyMask = tensor([
      [true, true, true, true, true],
      [true, true, true, false, false],
    ]) as Tensor;
    const twice = (v: Tensor) =>
      v
        .unsqueeze(1)
        .expand(2, 2, ...v.shape.slice(1))
        .reshape(4, ...v.shape.slice(1));
    const whole = noGrad(() => decoder.forward(x, twice(memory) as Tensor, { keyMask: twice(keyMask) as Tensor }));
    const cache = new KVCache({ layers: 2, batch: 4, heads: 2, capacity: 6, width: 4 });
    const past = { cache, memory: noGrad(() => decoder.remember(memory)), keyMask };
    const parts = [
      [0, 3],
      [3, 4],
      [4, 6],
    ] as const;
    for (const [from, to] of parts) {
      const part = noGrad(() =>
        decoder.resume(x.slice(1, from, to).contiguous() as Tensor, { ...past, slots: slots(from, to) }),
      );
      expect(list(part)).toEqual(list(whole.slice(1, from, to) as Tensor));
    }
  });
});
