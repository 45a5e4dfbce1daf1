// A GPT as a user writes it: the program whose checking must stay cheap (budget.test.ts).
import { arange, crossEntropy, GELU, LayerNorm, Linear, Module, Sequential, type Tensor } from "nabla";
import { attention, Embedding } from "./sketch.ts";

interface Config {
  readonly vocab_size: number;
  readonly block_size: number;
  readonly n_layer: number;
  readonly n_head: number;
  readonly n_embd: number;
}
type Ids = Tensor<[number, number], "i32">;
type Seq = Tensor<[number, number, number], "f32">;

class SelfAttention extends Module {
  readonly heads: number;
  readonly c_attn: Linear<number, number>;
  readonly c_proj: Linear<number, number>;
  constructor(c: Config) {
    super();
    this.heads = c.n_head;
    this.c_attn = new Linear(c.n_embd, 3 * c.n_embd);
    this.c_proj = new Linear(c.n_embd, c.n_embd);
  }
  forward(x: Seq): Seq {
    const [B, T, C] = x.shape;
    const qkv = this.c_attn.forward(x).reshape(B, T, 3, this.heads, C / this.heads);
    const [q, k, v] = qkv.permute(2, 0, 3, 1, 4).unbind();
    const y = attention(q, k, v, { causal: true });
    return this.c_proj.forward(y.permute(0, 2, 1, 3).reshape(B, T, C));
  }
}

class Block extends Module {
  readonly ln_1: LayerNorm<number>;
  readonly attn: SelfAttention;
  readonly ln_2: LayerNorm<number>;
  readonly mlp: Sequential<[Linear<number, number>, GELU, Linear<number, number>]>;
  constructor(c: Config) {
    super();
    this.ln_1 = new LayerNorm(c.n_embd);
    this.attn = new SelfAttention(c);
    this.ln_2 = new LayerNorm(c.n_embd);
    this.mlp = new Sequential(new Linear(c.n_embd, 4 * c.n_embd), new GELU(), new Linear(4 * c.n_embd, c.n_embd));
  }
  forward(x: Seq): Seq {
    const y = x.add(this.attn.forward(this.ln_1.forward(x)));
    return y.add(this.mlp.forward(this.ln_2.forward(y)));
  }
}

export class GPT extends Module {
  readonly wte: Embedding<number, number>;
  readonly wpe: Embedding<number, number>;
  readonly h: Block[];
  readonly ln_f: LayerNorm<number>;
  readonly lm_head: Linear<number, number>;
  constructor(c: Config) {
    super();
    this.wte = new Embedding(c.vocab_size, c.n_embd);
    this.wpe = new Embedding(c.block_size, c.n_embd);
    this.h = Array.from({ length: c.n_layer }, () => new Block(c));
    this.ln_f = new LayerNorm(c.n_embd);
    this.lm_head = new Linear(c.n_embd, c.vocab_size, { bias: false });
  }
  forward(ids: Ids): Seq {
    let x: Seq = this.wte.forward(ids).add(this.wpe.forward(arange(ids.shape[1])));
    for (const block of this.h) x = block.forward(x);
    return this.lm_head.forward(this.ln_f.forward(x));
  }
}

/** The same sizes as literals: attention of one head by hand, so that every product is checked. */
class Head extends Module {
  readonly q = new Linear(768, 64, { bias: false });
  readonly k = new Linear(768, 64, { bias: false });
  readonly v = new Linear(768, 64, { bias: false });
  readonly mlp = new Sequential(new LayerNorm(64), new Linear(64, 256), new GELU(), new Linear(256, 768));
  forward(x: Tensor<[number, 1024, 768], "f32">): Tensor<[number, 1024, 768], "f32"> {
    const weights = this.q
      .forward(x)
      .matmul(this.k.forward(x).mT())
      .mul(1 / 8)
      .softmax(-1);
    return x.add(this.mlp.forward(weights.matmul(this.v.forward(x))));
  }
}

export function loss(model: GPT, head: Head, x: Ids, y: Ids): Tensor<[], "f32"> {
  const logits = model.forward(x);
  const hidden = head.forward(model.wte.forward(x).reshape(-1, 1024, 768));
  return crossEntropy(logits, y).add(hidden.mean([1, 2]).mean());
}
