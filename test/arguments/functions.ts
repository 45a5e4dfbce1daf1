// A right call of everything else that index.ts exports: functions, and classes with a method that is called on what is made.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as nabla from "nabla";
import { Linear, ones, type Tensor, tensor } from "nabla";

const i32 = { dtype: "i32" } as const;
const x = ones(2, 3);
const labels = tensor([0, 2], i32);
const ids = tensor([[1, 2, 3]], i32);
const sizes = { vocabSize: 11, contextLength: 8, layers: 1, heads: 2, width: 8 };
const folder = mkdtempSync(join(tmpdir(), "nabla-arguments-"));

export { folder };

const file = (name: string, text = ""): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const gpt = () => new nabla.GPT2(sizes);
const net = () => new Linear(3, 2);
const learned = () => {
  const model = net();
  nabla.mse(model.forward(x), ones(2, 2)).backward();
  return model;
};
const reduction = { reduction: "mean" };
const options = { dtype: "f32", requiresGrad: false };
const pair: readonly [Tensor, Tensor] = [x, ones(2, 2)];
const fitting = (model: Linear) => ({
  loss: nabla.mse,
  optimizer: new nabla.SGD(model, { lr: 0.1 }),
  epochs: 1,
  validation: [pair],
  metrics: { l1: nabla.l1 },
  accumulate: 1,
  clip: 1,
  schedule: nabla.cosine({ from: 0.1, steps: 2 }),
  compile: false,
  precision: "f32",
});
const characters = nabla.CharTokenizer.from("abcdefghijk");
class Squares {
  readonly length = 4;
  readonly get = (i: number) => [tensor([i]), i] as const;
}
class Ones {
  readonly vocabSize = 11;
  readonly encode = () => [1];
}
const loading = { size: 2, shuffle: true, seed: 1, dropLast: false };
const optimizer = (more: object = {}) => [net(), { lr: 0.1, groups: [{ parameters: "bias", lr: 0.2 }], ...more }];
const images = ones(2, 3, 8, 8);
const leaf = () => {
  const w = ones(2);
  w.requiresGrad = true;
  return w;
};

/** A function, or what `new` makes, and the arguments of a right call; made anew for each. */
export type Call = () => readonly unknown[];
export const functions: Record<string, Call> = {
  accuracy: () => [x, labels],
  adapterState: () => [net()],
  addAdapters: () => [gpt(), "h.0.attn.c_attn", { rank: 2, alpha: 2, dropout: 0 }],
  arange: () => [0, 4, 1, i32],
  autocast: () => ["bf16", () => 1],
  batches: () => [x, labels, { ...loading, transform: (y: Tensor) => y }],
  bce: () => [x, x, { ...reduction, weight: x }],
  bceWithLogits: () => [x, x, { ...reduction, weight: x, posWeight: x }],
  beamSearch: () => [gpt(), [[1, 2]], { width: 2, maxTokens: 2, stop: [3], lengthPenalty: 1, earlyStopping: true }],
  bernoulli: () => [x],
  buffer: () => [x],
  cat: () => [[x, x], 0],
  checkGradient: () => [(y: Tensor) => y.sum(), [ones(2)], { eps: 1e-6, atol: 1e-5, rtol: 1e-3, order: 1 }],
  checkpoint: () => [(y: Tensor) => y.sum()],
  clipGradNorm: () => [learned(), 1, { norm: 2 }],
  clipGradValue: () => [learned(), 1],
  collate: () => [
    [
      [x, 1],
      [x, 2],
    ],
  ],
  compile: () => [(y: Tensor) => y.sum(), { fuse: true, prepack: true, memoryLimit: 2 ** 20, precision: "f32" }],
  conv1d: () => [ones(1, 2, 5), ones(2, 2, 3), ones(2), { stride: 1, padding: 1, dilation: 1, groups: 1 }],
  conv2d: () => [images, ones(2, 3, 3, 3), ones(2), { stride: 1, padding: 1, dilation: 1, groups: 1 }],
  convTranspose1d: () => [ones(1, 2, 5), ones(2, 2, 3), ones(2), { stride: 1, padding: 1, groups: 1 }],
  convTranspose2d: () => [images, ones(3, 2, 3, 3), ones(2), { stride: 1, padding: 1, groups: 1 }],
  cosine: () => [{ from: 1, to: 0, steps: 4 }],
  cosineEmbedding: () => [x, x, ones(2), { ...reduction, margin: 0 }],
  cosineSimilarity: () => [x, x, { dim: -1, eps: 1e-8 }],
  crossEntropy: () => [x, labels, { ...reduction, weight: ones(3), ignoreIndex: 1, classDim: -1, labelSmoothing: 0 }],
  decayed: () => [net()],
  detokenize: () => [[1, 2, 3], characters, { stop: ["b", 4], behind: [1] }],
  diag: () => [ones(3), 0],
  digits: () => [2, { seed: 1 }],
  dpo: () => [
    { chosen: ones(2), rejected: ones(2) },
    { chosen: ones(2), rejected: ones(2) },
    { beta: 0.1, labelSmoothing: 0 },
  ],
  einsum: () => ["ij,kj->ik", x, x],
  empty: () => [[2, 3], options],
  enableGrad: () => [() => 1],
  evaluate: () => [net(), [pair], { loss: nabla.mse, metrics: { l1: nabla.l1 }, precision: "f32" }],
  eye: () => [2, 3, options],
  fit: () => {
    const model = net();
    return [model, [pair], fitting(model)];
  },
  forkRng: () => [1, () => 1],
  full: () => [[2, 3], 1, options],
  fullLike: () => [x, 1, options],
  gaussianNll: () => [x, x, x, { ...reduction, full: false, eps: 1e-6 }],
  generate: () => [gpt(), [1, 2], { maxTokens: 2, temperature: 1, topK: 3, topP: 0.9, stop: [3], seed: 1 }],
  generateBatch: () => [gpt(), [[1, 2], [3]], { maxTokens: 2, temperature: 1, topK: 3, topP: 0.9, seed: 1 }],
  generateText: () => [gpt(), characters, "abc", { maxTokens: 2, stop: ["b"] }],
  grad: () => [(y: Tensor) => y.sum(), { argnums: 0, createGraph: false }],
  gradients: () => {
    const w = leaf();
    return [w.mul(2), w, { gradOutputs: ones(2), allowUnused: false, createGraph: false }];
  },
  hingeEmbedding: () => [x, x, { ...reduction, margin: 1 }],
  huber: () => [x, x, { ...reduction, delta: 1 }],
  imageFolder: () => [folder, { size: [4, 4], channels: 3, fit: "cover" }],
  isa: () => [],
  klDiv: () => [x, x, { ...reduction, logTarget: true }],
  l1: () => [x, x, reduction],
  linearCrossEntropy: () => [x, ones(4, 3), labels, { ignoreIndex: -100 }],
  linspace: () => [0, 1, 3, options],
  loadCheckpoint: () => [folder, { model: net() }],
  loadPretrained: () => [folder],
  loadSafetensors: () => [file("a.safetensors")],
  loadTokenizer: () => [folder],
  marginRanking: () => [x, x, x, { ...reduction, margin: 0 }],
  maskTokens: () => [ids, { maskToken: 3, vocabSize: 11, probability: 0.5, special: [1] }],
  memory: () => [],
  mergeAdapters: () => [net()],
  meshgrid: () => [[ones(2), ones(3)], { indexing: "ij" }],
  mnist: () => [folder],
  mse: () => [x, x, reduction],
  multinomial: () => [x, 2, { replacement: true }],
  nll: () => [x, labels, { ...reduction, weight: ones(3), ignoreIndex: 1, classDim: -1 }],
  noGrad: () => [() => 1],
  ones: () => [[2, 3], options],
  onesLike: () => [x, options],
  openSafetensors: () => [file("a.safetensors")],
  openTokens: () => [file("tokens", "12345678"), { context: 2, vocabSize: 65536, range: [0, 1], separator: 1 }],
  perplexity: () => [gpt(), [[ids, ids]]],
  poissonNll: () => [x, x, { ...reduction, logInput: true, full: false, eps: 1e-8 }],
  quantizeDynamic: () => [net(), { dtype: "i8" }],
  rand: () => [[2, 3], options],
  randLike: () => [x, options],
  randint: () => [0, 4, [2, 3]],
  randn: () => [[2, 3], options],
  randnLike: () => [x, options],
  randperm: () => [4],
  readIdx: () => [file("a.idx")],
  readTable: () => [file("a.csv", "a,b\n1,2\n"), { missing: ["?"], separator: "," }],
  readText: () => [file("a.txt", "text"), { bytes: 2 }],
  resnet18: () => [],
  resnet20: () => [{ classes: 3 }],
  resnet34: () => [],
  resnet50: () => [],
  saveCheckpoint: () => [folder, { model: net() }, { step: 1, values: { best: 1 }, keep: 2 }],
  savePretrained: () => [folder, gpt()],
  saveSafetensors: () => [join(folder, "b.safetensors"), { x }, { metadata: { a: "b" } }],
  scaledDotProductAttention: () => [
    ones(1, 3, 4),
    ones(1, 3, 4),
    ones(1, 3, 4),
    { causal: true, dropout: 0, scale: 1 },
  ],
  seed: () => [1],
  sequenceLogProb: () => [ones(1, 3, 11), ids],
  setThreads: () => [1],
  smoothL1: () => [x, x, { ...reduction, beta: 1 }],
  softMargin: () => [x, x, reduction],
  stack: () => [[x, x], 0],
  tensor: () => [[[1, 2]], options],
  tensordot: () => [x, ones(3, 2), 1],
  threads: () => [],
  tripletMargin: () => [x, x, x, { ...reduction, margin: 1, p: 2, eps: 1e-6 }],
  valueAndGrad: () => [(y: Tensor) => y.sum(), { argnums: 0, createGraph: false }],
  where: () => [x.gt(0), x, 0],
  writeTokens: () => [join(folder, "written"), ["abc"], new Ones(), { separator: 1 }],
  zeros: () => [[2, 3], options],
  zerosLike: () => [x, options],

  "BPETokenizer.train": () => ["a cab a cab", { vocabSize: 260, special: ["<end>"], least: 2 }],
  "Encoder.fit": () => [
    new nabla.Table(
      ["a", "b"],
      [
        [1, "x"],
        [2, "y"],
      ],
    ),
    { target: "b", classes: true, without: [] },
  ],
  "init.constant": () => [ones(2, 3), 1],
  "init.gain": () => ["relu", 0.1],
  "init.kaimingNormal": () => [ones(2, 3), { a: 0, mode: "fanIn", nonlinearity: "relu" }],
  "init.kaimingUniform": () => [ones(2, 3), { a: 0, mode: "fanIn", nonlinearity: "relu" }],
  "init.normal": () => [ones(2, 3), 0, 1],
  "init.ones": () => [ones(2, 3)],
  "init.orthogonal": () => [ones(2, 3), { gain: 1 }],
  "init.truncNormal": () => [ones(2, 3), { mean: 0, std: 1, low: -2, high: 2 }],
  "init.uniform": () => [ones(2, 3), 0, 1],
  "init.xavierNormal": () => [ones(2, 3), { gain: 1 }],
  "init.xavierUniform": () => [ones(2, 3), { gain: 1 }],
  "init.zeros": () => [ones(2, 3)],
  "schedule.constant": () => [1],
  "schedule.cosine": () => [{ from: 1, to: 0, steps: 4, warmup: 1, start: 0 }],
  "schedule.cosineRestarts": () => [{ from: 1, to: 0, period: 2, factor: 2 }],
  "schedule.cyclic": () => [{ low: 0.1, high: 1, up: 2, down: 2, mode: "triangular", gamma: 1 }],
  "schedule.exponential": () => [{ from: 1, gamma: 0.9 }],
  "schedule.linear": () => [{ from: 1, to: 0, steps: 4, warmup: 1, start: 0 }],
  "schedule.linearWarmup": () => [2, nabla.schedule.constant(1), { start: 0 }],
  "schedule.multiStep": () => [{ from: 1, milestones: [2, 4], gamma: 0.1 }],
  "schedule.oneCycle": () => [{ max: 1, steps: 4 }],
  "schedule.plateau": () => [{ from: 1, factor: 0.1, patience: 2 }],
  "schedule.polynomial": () => [{ from: 1, to: 0, steps: 4, power: 2 }],
  "schedule.step": () => [{ from: 1, size: 2, gamma: 0.1 }],
  "transforms.compose": () => [nabla.transforms.randomHorizontalFlip()],
  "transforms.gaussianNoise": () => [{ mean: 0, sigma: 0.1, clip: true }],
  "transforms.normalize": () => [
    [0, 0, 0],
    [1, 1, 1],
  ],
  "transforms.randomAffine": () => [{ degrees: 10, translate: [0, 0], scale: [1, 1], shear: 0, fill: 0 }],
  "transforms.randomCrop": () => [[4, 4], { padding: 1, fill: 0 }],
  "transforms.randomHorizontalFlip": () => [0.5],
  "transforms.randomResizedCrop": () => [[4, 4], { scale: [0.1, 1], ratio: [1, 1] }],
  "transforms.randomRotation": () => [10, { fill: 0 }],
  "transforms.randomVerticalFlip": () => [0.5],

  Adadelta: () => optimizer({ rho: 0.9, eps: 1e-6, weightDecay: 0, decay: "weight" }),
  Adagrad: () => optimizer({ lrDecay: 0, eps: 1e-10, weightDecay: 0 }),
  Adam: () => optimizer({ betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false }),
  AdamW: () => optimizer({ betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, amsgrad: false }),
  Adamax: () => optimizer({ betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 }),
  Lion: () => optimizer({ betas: [0.9, 0.999], weightDecay: 0 }),
  NAdam: () => optimizer({ betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, momentumDecay: 0.004 }),
  RAdam: () => optimizer({ betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 }),
  RMSprop: () => optimizer({ alpha: 0.9, eps: 1e-8, weightDecay: 0, momentum: 0, centered: false }),
  Rprop: () => optimizer({ etas: [0.5, 1.2], stepSizes: [1e-6, 50] }),
  SGD: () => optimizer({ momentum: 0.9, dampening: 0, nesterov: true, weightDecay: 0 }),
  Batches: () => [x, labels, loading],
  CharTokenizer: () => [["a", "b"]],
  ContinuousBatch: () => [gpt(), { streams: 2, contextLength: 8, prepack: true }],
  DataLoader: () => [
    new Squares(),
    { ...loading, collate: nabla.collate, transform: (b: unknown) => b, prefetch: 1, concurrency: 2 },
  ],
  KVCache: () => [
    { layers: 1, batch: 1, heads: 2, capacity: 8, width: 4 },
    tensor([[true, true, true, true, true, true, true, true]]),
  ],
  Parameter: () => [x],
  Table: () => [
    ["a", "b"],
    [
      [1, "x"],
      [2, "y"],
    ],
  ],
};
