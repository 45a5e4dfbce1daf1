// Models with a head that is trained for a task of one's own.
import { only } from "../core/boundary.ts";
import { Dropout } from "../nn/dropout.ts";
import { normal } from "../nn/init.ts";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import { cast } from "../ops/arithmetic.ts";
import { minus } from "../ops/formula.ts";
import { sum } from "../ops/reduce.ts";
import { takeAlongDim } from "../ops/select.ts";
import { reshape, select } from "../ops/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  BertBody,
  type BertConfig,
  type BertPreset,
  type BertView,
  completeBert,
  type FullBertConfig,
} from "./bert.ts";
import type { Place } from "./causal.ts";
import { begin } from "./encoder.ts";
import { completeGPT2, type FullGPT2Config, GPT2Body, type GPT2Config, type GPT2Preset } from "./gpt.ts";
import { completeLlama, type FullLlamaConfig, LlamaBody, type LlamaConfig, type LlamaPreset } from "./llama.ts";
import { checkSizes } from "./summary.ts";

type Full = FullBertConfig & { readonly classes: number };

abstract class Classifier<P extends boolean> extends Module {
  readonly config: Full;
  readonly bert: BertBody<P>;
  readonly dropout: Dropout;
  readonly classifier: Linear;

  constructor(config: BertConfig | BertPreset, classes: number, pooled: P) {
    super();
    checkSizes(new.target.name, { classes });
    const full = completeBert(config);
    this.config = { ...full, classes };
    this.bert = new BertBody(full, pooled);
    this.dropout = new Dropout(full.dropout);
    this.classifier = new Linear(full.width, classes);
    begin(this, full.std);
  }
  override describe(): string {
    const { layers, heads, width, classes } = this.config;
    return `${layers} layers, ${heads} heads, width ${width}, ${classes} classes`;
  }
}

/**
 * {@link Bert} for texts in classes: its pooled first token, dropout and a linear map.
 *
 * Hugging Face: `BertForSequenceClassification`.
 * @example
 * ```ts
 * import { BertForSequenceClassification, tensor } from "nabla";
 * const sizes = { vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8 };
 * const model = new BertForSequenceClassification(sizes, 3);
 * console.log(model.forward(tensor([[1, 2, 3], [4, 5, 6]], { dtype: "i32" })).shape); // [ 2, 3 ]
 * ```
 */
export class BertForSequenceClassification extends Classifier<true> {
  constructor(config: BertConfig | BertPreset, classes: number) {
    super(config, classes, true);
  }
  /** Logits [batch, classes] of ids [batch, time]. */
  forward(ids: Tensor, view: BertView = {}): Tensor {
    const pooled = this.bert.pool(this.bert.forward(ids, view));
    return this.classifier.forward(this.dropout.forward(pooled)) as Tensor;
  }
}

/**
 * {@link Bert} for words in classes: dropout and a linear map on every token.
 *
 * Hugging Face: `BertForTokenClassification`.
 * @example
 * ```ts
 * import { BertForTokenClassification, tensor } from "nabla";
 * const sizes = { vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8 };
 * const model = new BertForTokenClassification(sizes, 5);
 * console.log(model.forward(tensor([[1, 2, 3]], { dtype: "i32" })).shape); // [ 1, 3, 5 ]
 * ```
 */
export class BertForTokenClassification extends Classifier<false> {
  constructor(config: BertConfig | BertPreset, classes: number) {
    super(config, classes, false);
  }
  /** Logits [batch, time, classes] of ids [batch, time]. */
  forward(ids: Tensor, view: BertView = {}): Tensor {
    return this.classifier.forward(this.dropout.forward(this.bert.forward(ids, view))) as Tensor;
  }
}

/** Scores [batch, classes] of texts by the last token of each. */
abstract class LastToken extends Module {
  abstract readonly score: Linear;
  protected abstract hidden(ids: Tensor, place: Place): Tensor;

  /** Logits [batch, classes] of ids [batch, time]; keyMask booleans [batch, time], false behind the end of a text. */
  forward(ids: Tensor, place: Pick<Place, "keyMask"> = {}): Tensor {
    const { keyMask } = only("forward", place, ["keyMask"]);
    const hidden = this.hidden(ids, { keyMask });
    if (!keyMask) return this.score.forward(select(hidden, 1, -1) as Tensor) as Tensor;
    const last = reshape(minus(sum(cast(keyMask, "i32"), 1), 1), [-1, 1, 1]);
    return this.score.forward(select(takeAlongDim(hidden, last, 1), 1, 0) as Tensor) as Tensor;
  }
}
function scoreOf(
  { width, std }: { readonly width: number; readonly std: number },
  classes: number,
  op: string,
): Linear {
  checkSizes(op, { classes });
  const score = new Linear(width, classes, { bias: false });
  normal(score.weight, 0, std);
  return score;
}

/**
 * {@link GPT2} for texts in classes: a linear map of the last token.
 *
 * Hugging Face: `GPT2ForSequenceClassification`.
 * @example
 * ```ts
 * import { GPT2ForSequenceClassification, tensor } from "nabla";
 * const model = new GPT2ForSequenceClassification({ vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8 }, 3);
 * const keyMask = tensor([[true, true, true], [true, false, false]]); // the second text has one token
 * console.log(model.forward(tensor([[1, 2, 3], [4, 0, 0]], { dtype: "i32" }), { keyMask }).shape); // [ 2, 3 ]
 * ```
 */
export class GPT2ForSequenceClassification extends LastToken {
  readonly config: FullGPT2Config & { readonly classes: number };
  readonly transformer: GPT2Body;
  readonly score: Linear;

  constructor(config: GPT2Config | GPT2Preset, classes: number) {
    super();
    const full = completeGPT2(config);
    this.config = { ...full, classes };
    this.transformer = new GPT2Body(full);
    this.score = scoreOf(full, classes, "GPT2ForSequenceClassification");
  }
  protected hidden(ids: Tensor, place: Place): Tensor {
    return this.transformer.forward(ids, place);
  }
}

/**
 * {@link Llama} for texts in classes: a linear map of the last token.
 *
 * Hugging Face: `LlamaForSequenceClassification`.
 * @example
 * ```ts
 * import { LlamaForSequenceClassification, tensor } from "nabla";
 * const sizes = { vocabSize: 50, contextLength: 16, layers: 1, heads: 2, width: 8, hidden: 16 };
 * console.log(new LlamaForSequenceClassification(sizes, 3).forward(tensor([[1, 2, 3]], { dtype: "i32" })).shape); // [ 1, 3 ]
 * ```
 */
export class LlamaForSequenceClassification extends LastToken {
  readonly config: FullLlamaConfig & { readonly classes: number };
  readonly model: LlamaBody;
  readonly score: Linear;

  constructor(config: LlamaConfig | LlamaPreset, classes: number) {
    super();
    const full = completeLlama(config);
    this.config = { ...full, classes };
    this.model = new LlamaBody(full);
    this.score = scoreOf(full, classes, "LlamaForSequenceClassification");
  }
  protected hidden(ids: Tensor, place: Place): Tensor {
    return this.model.forward(ids, place);
  }
}
