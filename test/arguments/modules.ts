// A right call of every module: what its constructor takes, and what its forward takes.
import { Linear, ones, tensor } from "nabla";

const sizes = { vocabSize: 11, contextLength: 8, layers: 1, heads: 2, width: 8 };
const ids = tensor([[1, 2, 3]], { dtype: "i32" });
const rows = ones(2, 4);
const series = ones(2, 3, 8);
const pictures = ones(2, 3, 8, 8);
const words = ones(2, 3, 4);
const heads = ones(1, 2, 3, 4);
const activation = [[], [rows]] as const;
const convolution = { stride: 1, padding: 1, dilation: 1, groups: 1, bias: true };
const norm = { eps: 1e-5, affine: true, bias: true };
const tracked = { ...norm, momentum: 0.1, trackRunningStats: true };
const recurrent = { numLayers: 1, bias: true, batchFirst: false, dropout: 0, bidirectional: false };
const layer = { hidden: 8, dropout: 0, activation: "relu", normFirst: true, bias: true };
const view = { types: tensor([[0, 1, 1]], { dtype: "i32" }), keyMask: tensor([[true, true, true]]) };
const looking = { causal: false, mask: tensor([[true]]), keyMask: ones(2, 3).gt(0) };

/** What constructor and forward are given, as it should be. */
export type Right = readonly [make: readonly unknown[], forward: readonly unknown[]];
export const modules: Record<string, Right> = {
  AdaptiveAvgPool1d: [[2], [series]],
  AdaptiveAvgPool2d: [[[2, 2]], [pictures]],
  AdaptiveMaxPool2d: [[2], [pictures]],
  AvgPool1d: [[2, { stride: 1, padding: 0, countIncludePad: true }], [series]],
  AvgPool2d: [[[2, 2], { stride: [1, 1], padding: 0 }], [pictures]],
  BasicBlock: [[3, 3, 1, null], [pictures]],
  BatchNorm1d: [[3, tracked], [series]],
  BatchNorm2d: [[3, tracked], [pictures]],
  Bert: [[{ ...sizes, types: 2, dropout: 0, eps: 1e-5, paddingIndex: 0 }], [ids, view]],
  BertForSequenceClassification: [
    [sizes, 3],
    [ids, view],
  ],
  BertForTokenClassification: [
    [sizes, 3],
    [ids, view],
  ],
  Bottleneck: [[4, 1, 1, null], [ones(2, 4, 4, 4)]],
  CELU: [[1], [rows]],
  Conv1d: [[3, 4, 3, convolution], [series]],
  Conv2d: [[3, 4, [3, 3], convolution], [pictures]],
  ConvTranspose1d: [[3, 4, 3, { stride: 2, outputPadding: 1 }], [series]],
  ConvTranspose2d: [[3, 4, 3, { stride: 2, outputPadding: 1 }], [pictures]],
  Dropout: [[0.5], [rows]],
  Dropout2d: [[0.5], [pictures]],
  ELU: [[1], [rows]],
  Embedding: [[11, 4, { paddingIndex: 0, std: 1 }], [ids]],
  Flatten: [[], [words]],
  GELU: [[{ approximate: "tanh" }], [rows]],
  GPT2: [[{ ...sizes, dropout: 0, activation: "gelu", eps: 1e-5, tied: true }], [ids, { last: true }]],
  GPT2ForSequenceClassification: [
    [sizes, 3],
    [ids, { keyMask: tensor([[true, true, true]]) }],
  ],
  GRU: [
    [4, 5, recurrent],
    [words, ones(1, 3, 5), { lengths: [2, 1, 1] }],
  ],
  GRUCell: [
    [4, 5, { bias: true }],
    [rows, ones(2, 5)],
  ],
  GroupNorm: [[1, 3, norm], [series]],
  Hardsigmoid: activation,
  Hardswish: activation,
  Hardtanh: [[-1, 1], [rows]],
  Identity: activation,
  InstanceNorm1d: [[3, tracked], [series]],
  InstanceNorm2d: [[3, tracked], [pictures]],
  LSTM: [
    [4, 5, recurrent],
    [words, [ones(1, 3, 5), ones(1, 3, 5)], { lengths: [2, 1, 1] }],
  ],
  LSTMCell: [
    [4, 5, { bias: true }],
    [rows, [ones(2, 5), ones(2, 5)]],
  ],
  LayerNorm: [[4, norm], [rows]],
  LeNet: [[{ classes: 10, inputs: 1 }], [ones(1, 1, 28, 28)]],
  LeakyReLU: [[0.1], [rows]],
  LearnedPosition: [
    [8, 4, { std: 0.02 }],
    [words, tensor([0, 1, 2], { dtype: "i32" })],
  ],
  Linear: [[4, 3, { bias: true }], [rows]],
  Llama: [[{ ...sizes, hidden: 8, keyValueHeads: 1, headWidth: 4, theta: 1e4, eps: 1e-5 }], [ids, { last: true }]],
  LlamaForSequenceClassification: [[{ ...sizes, hidden: 8 }, 3], [ids]],
  LoRA: [[new Linear(4, 3), { rank: 2, alpha: 2, dropout: 0 }], [rows]],
  LogSigmoid: activation,
  LogSoftmax: [[-1], [rows]],
  MaxPool1d: [[2, { stride: 1, padding: 0, dilation: 1 }], [series]],
  MaxPool2d: [[2, { stride: 1, padding: 0, dilation: 1 }], [pictures]],
  Mish: activation,
  MultiheadAttention: [
    [4, 2, { dropout: 0, bias: true }],
    [words, words, words, { causal: true }],
  ],
  QuantizedLinear: [[ones(3, 4), ones(3)], [rows]],
  RMSNorm: [[4, { eps: 1e-5, affine: true }], [rows]],
  RNN: [
    [4, 5, { ...recurrent, nonlinearity: "relu" }],
    [words, ones(1, 3, 5), { lengths: [2, 1, 1] }],
  ],
  RNNCell: [
    [4, 5, { bias: true, nonlinearity: "relu" }],
    [rows, ones(2, 5)],
  ],
  ReLU: activation,
  ReLU6: activation,
  ResNet: [[{ blocks: [1], channels: 4, classes: 3, inputs: 3, large: false, project: true }], [pictures]],
  RotaryPosition: [
    [8, 4, { theta: 1e4 }],
    [heads, tensor([0, 1, 2], { dtype: "i32" })],
  ],
  SELU: activation,
  Seq2Seq: [[{ ...sizes, hidden: 8, dropout: 0, activation: "gelu", positions: "learned" }], [ids, ids, {}]],
  Sequential: [[new Linear(4, 3), new Linear(3, 2)], [rows]],
  SiLU: activation,
  Sigmoid: activation,
  SinusoidalPosition: [
    [8, 4],
    [words, tensor([0, 1, 2], { dtype: "i32" })],
  ],
  Softmax: [[-1], [rows]],
  Softplus: [[1, 20], [rows]],
  Softsign: activation,
  SwiGLU: [[4, 8, { bias: false }], [rows]],
  Tanh: activation,
  Tanhshrink: activation,
  Transformer: [
    [4, 2, { ...layer, encoderLayers: 1, decoderLayers: 1 }],
    [words, words, {}],
  ],
  TransformerDecoder: [
    [4, 2, 1, { ...layer, norm: true }],
    [words, words, looking],
  ],
  TransformerDecoderLayer: [
    [4, 2, layer],
    [words, words, looking],
  ],
  TransformerEncoder: [
    [4, 2, 1, { ...layer, norm: true }],
    [words, looking],
  ],
  TransformerEncoderLayer: [
    [4, 2, layer],
    [words, looking],
  ],
  Upsample: [[{ size: [4, 4], mode: "nearest" }], [pictures]],
  ViT: [[{ layers: 1, heads: 2, width: 8, imageSize: 8, patchSize: 4, channels: 3, classes: 3 }], [pictures]],
};
