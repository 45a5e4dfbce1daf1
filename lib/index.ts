// The public names.

export { checkpoint } from "./compile/checkpoint.ts";
export { type Compiled, type CompileOptions, compile } from "./compile/compile.ts";
export { type ErrorCode, NablaError } from "./core/errors.ts";
export { isa, setThreads, threads } from "./core/native.ts";
export { type Batch, Batches, type BatchesOptions, batches } from "./data/batches.ts";
export { type ReadTableOptions, readTable } from "./data/csv.ts";
export { type Digits, digits } from "./data/digits.ts";
export { Encoder, type EncoderState, type FitEncoderOptions } from "./data/encoder.ts";
export type { BatchOptions, EpochsState, Position } from "./data/epochs.ts";
export {
  type FolderSplitOptions,
  ImageFolder,
  type ImageFolderOptions,
  imageFolder,
  type Picture,
} from "./data/folder.ts";
export { type Idx, type Mnist, mnist, readIdx } from "./data/idx.ts";
export { type Collated, collate, DataLoader, type Dataset, type LoaderOptions, type Sample } from "./data/loader.ts";
export { type Cell, type Column, type SplitOptions, Table } from "./data/table.ts";
export { type ReadTextOptions, readText } from "./data/text.ts";
export {
  openTokens,
  type TextEncoding,
  TokenFile,
  type TokenOptions,
  type TokenType,
  type WrittenTokens,
  writeTokens,
} from "./data/tokens.ts";
export type { Images, Range, Transform } from "./data/transforms.ts";
export * as transforms from "./data/transforms.ts";
export {
  type CheckOptions,
  checkGradient,
  enableGrad,
  type GradientOptions,
  grad,
  gradients,
  noGrad,
  type TransformOptions,
  valueAndGrad,
} from "./grad.ts";
export {
  type Checkpoint,
  type CheckpointOptions,
  loadCheckpoint,
  type Parts,
  type Placed,
  type Stateful,
  saveCheckpoint,
} from "./io/checkpoint.ts";
export {
  loadSafetensors,
  type NamedTensors,
  openSafetensors,
  Safetensors,
  type SaveOptions,
  type StoredTensor,
  saveSafetensors,
} from "./io/safetensors.ts";
export type { TensorSource } from "./io/shards.ts";
export { type BatchSizes, ContinuousBatch } from "./models/batch.ts";
export { type BeamOptions, beamSearch, type Hypothesis } from "./models/beam.ts";
export { Bert, type BertConfig, type BertOutput, type BertPreset } from "./models/bert.ts";
export type { CausalModel, Place } from "./models/causal.ts";
export {
  BertForSequenceClassification,
  BertForTokenClassification,
  GPT2ForSequenceClassification,
  LlamaForSequenceClassification,
} from "./models/classifier.ts";
export { generate, generateBatch } from "./models/generate.ts";
export { GPT2, type GPT2Config, type GPT2Preset } from "./models/gpt.ts";
export { loadPretrained, type Pretrained, savePretrained } from "./models/huggingface.ts";
export { LeNet } from "./models/lenet.ts";
export { Llama, type LlamaConfig, type LlamaPreset } from "./models/llama.ts";
export { type MaskOptions, maskTokens } from "./models/mask.ts";
export * from "./models/resnet.ts";
export type { SampleOptions } from "./models/sample.ts";
export { Seq2Seq, type Seq2SeqConfig } from "./models/seq2seq.ts";
export type { GenerateOptions } from "./models/stream.ts";
export type { BlockConfig, Summary, TokenConfig, Workload } from "./models/summary.ts";
export { type DetokenizeOptions, detokenize, generateText, type TextOptions } from "./models/text.ts";
export { ViT, type ViTConfig, type ViTPreset } from "./models/vit.ts";
export * from "./nn/activation.ts";
export { adapterState, addAdapters, type LinearMap, LoRA, type LoRAOptions, mergeAdapters } from "./nn/adapter.ts";
export {
  type DotProductOptions,
  type KeysValues,
  type Looking,
  MultiheadAttention,
  type MultiheadOptions,
  scaledDotProductAttention,
} from "./nn/attention.ts";
export { type CachePlace, type CacheSizes, KVCache } from "./nn/cache.ts";
export { type CellOptions, GRUCell, LSTMCell, RNNCell } from "./nn/cell.ts";
export * from "./nn/conv.ts";
export { Dropout, Dropout2d } from "./nn/dropout.ts";
export { Embedding, type EmbeddingOptions } from "./nn/embedding.ts";
export { linearCrossEntropy } from "./nn/head.ts";
export * as init from "./nn/init.ts";
export { Flatten, Identity, Linear } from "./nn/linear.ts";
export * from "./nn/loss.ts";
export { Module, type ParameterFilter } from "./nn/module.ts";
export * from "./nn/norm.ts";
export { buffer, Parameter } from "./nn/parameter.ts";
export * from "./nn/pool.ts";
export {
  LearnedPosition,
  type RotaryOptions,
  RotaryPosition,
  type RotaryScaling,
  SinusoidalPosition,
} from "./nn/position.ts";
export { type DPOOptions, dpo, type Preference, sequenceLogProb } from "./nn/preference.ts";
export { QuantizedLinear, type QuantizeOptions, quantizeDynamic } from "./nn/quantize.ts";
export { GRU, LSTM, type RecurrentOptions, RNN, type SequenceOptions } from "./nn/recurrent.ts";
export { Sequential } from "./nn/sequential.ts";
export {
  type EncoderDecoderOptions,
  type Past,
  type StackOptions,
  Transformer,
  TransformerDecoder,
  TransformerEncoder,
  type Views,
} from "./nn/stack.ts";
export type { LoadOptions, LoadReport } from "./nn/state.ts";
export { SwiGLU, TransformerDecoderLayer, TransformerEncoderLayer, type TransformerOptions } from "./nn/transformer.ts";
export { clipGradNorm, clipGradValue } from "./optim/clip.ts";
export { decayed } from "./optim/decay.ts";
export { type Grouping, type GroupOptions, Optimizer, type Trainable } from "./optim/optimizer.ts";
export * from "./optim/rules.ts";
export * as schedule from "./optim/schedule.ts";
export { cosine, type Schedule } from "./optim/schedule.ts";
export { autocast, type Precision } from "./precision.ts";
export { arange, empty, eye, full, linspace, type Options, ones, tensor, zeros } from "./tensor/create.ts";
export { cat, diag, einsum, meshgrid, stack, tensordot, where } from "./tensor/functional.ts";
export { fullLike, onesLike, randLike, randnLike, zerosLike } from "./tensor/like.ts";
export { type Memory, memory } from "./tensor/memory.ts";
export { bernoulli, forkRng, multinomial, rand, randint, randn, randperm, seed } from "./tensor/random.ts";
export { Tensor } from "./tensor/tensor.ts";
export { type BPEOptions, BPETokenizer } from "./text/bpe.ts";
export { loadTokenizer } from "./text/pretrained.ts";
export { CharTokenizer, type Tokenizer } from "./text/tokenizer.ts";
export {
  type Data,
  type EpochEvent,
  type EvaluateOptions,
  evaluate,
  Fit,
  type FitEvent,
  type FitOptions,
  fit,
  type Scores,
  type StepEvent,
  type Trained,
} from "./train/fit.ts";
export { accuracy, type Metric } from "./train/metric.ts";
export { type LanguageModel, type Perplexity, perplexity } from "./train/perplexity.ts";
export type { FitCheckpoint } from "./train/progress.ts";
export type { DType, Shape } from "./types/shape.ts";
