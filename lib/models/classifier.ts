// Bert with a head that is trained for a task of one's own.
import { Dropout } from "../nn/dropout.ts";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  BertBody,
  type BertConfig,
  type BertPreset,
  type BertView,
  completeBert,
  type FullBertConfig,
} from "./bert.ts";
import { begin } from "./encoder.ts";
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
