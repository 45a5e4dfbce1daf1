// Attention looks things up: pairs of a letter and a number go by, then a letter asks for its number.
import {
  AdamW,
  compile,
  cosine,
  crossEntropy,
  Embedding,
  Linear,
  Module,
  noGrad,
  rand,
  randint,
  seed,
  type Tensor,
  tensor,
} from "nabla";
import { heatmap } from "nabla/plot";
import { integer, real, run } from "./options.ts";
import { show, svg } from "./show.ts";

const program = {
  call: "npx tsx examples/attention.ts",
  about: "Trains one head of attention to look up, and shows where it looks.",
  options: {
    pairs: integer(8, "pairs in a text", { min: 2, max: 26 }),
    width: integer(32, "size of the vectors", { min: 4, max: 1024 }),
    steps: integer(200, "steps of training, 64 texts each"),
    lr: real(0.01, "highest learning rate", { max: 10 }),
    seed: integer(0, "seed of weights and texts", { min: 0, max: 2 ** 32 - 1 }),
    svg,
  },
} as const;

const [letters, numbers, batch] = [26, 10, 64];
type Ids = Tensor<[number, number], "i32">;

/** One head by hand: queries from the question, keys from the letters, values from the numbers. */
class Lookup extends Module {
  readonly letter;
  readonly number;
  readonly query;
  readonly key;
  readonly value;
  readonly head;
  constructor(width: number) {
    super();
    this.letter = new Embedding(letters, width);
    this.number = new Embedding(numbers, width);
    this.query = new Linear(width, width, { bias: false });
    this.key = new Linear(width, width, { bias: false });
    this.value = new Linear(width, width, { bias: false });
    this.head = new Linear(width, numbers);
  }
  /** Where each question looks, [batch, questions, pairs]: softmax(q kᵀ / √width). */
  look(asked: Ids, seen: Ids, said: Ids): { weights: Tensor; values: Tensor } {
    const pairs = this.letter.forward(seen).add(this.number.forward(said));
    const q = this.query.forward(this.letter.forward(asked));
    const scores = q.matmul(this.key.forward(pairs).transpose(-2, -1)).div(Math.sqrt(q.shape[2]));
    return { weights: scores.softmax(), values: this.value.forward(pairs) };
  }
  forward(asked: Ids, seen: Ids, said: Ids): Tensor {
    const { weights, values } = this.look(asked, seen, said);
    return this.head.forward(weights.matmul(values) as never);
  }
}

interface Texts {
  readonly seen: Ids;
  readonly said: Ids;
}
/** Different letters, each with a number. All are asked for, in their order. */
function texts(count: number, pairs: number): Texts {
  const orders = rand(count, letters).argsort(1).slice(1, 0, pairs);
  return {
    seen: tensor(Int32Array.from(orders.dataSync())).reshape(count, pairs),
    said: randint(0, numbers, [count, pairs]) as Ids,
  };
}
const name = (letter: number): string => String.fromCharCode(65 + letter);

await run(program, (values) => {
  seed(values.seed);
  const model = new Lookup(values.width);
  const optimizer = new AdamW(model, { lr: values.lr });
  const rate = cosine({ from: values.lr, steps: values.steps, warmup: Math.min(50, values.steps / 4) });
  const step = compile((seen: Ids, said: Ids) => {
    const loss = crossEntropy(model.forward(seen, seen, said) as never, said as never) as Tensor;
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  const losses = Array.from({ length: values.steps }, (_, i) => {
    optimizer.lr = rate(i);
    const { seen, said } = texts(batch, values.pairs);
    return step.sync(seen, said).item();
  });

  const fresh = texts(500, values.pairs);
  const { right, onTarget } = noGrad(() => {
    const answers = model.forward(fresh.seen, fresh.seen, fresh.said).argmax(2);
    const { weights } = model.look(fresh.seen, fresh.seen, fresh.said);
    // The question for pair i is to look at pair i: the diagonal.
    const mine = Array.from({ length: values.pairs }, (_, i) => weights.select(1, i).select(1, i).mean().item());
    return { right: answers.eq(fresh.said).mean().item(), onTarget: mine.reduce((a, b) => a + b) / values.pairs };
  });
  console.log(
    `loss ${losses[0]!.toFixed(3)} -> ${losses.at(-1)!.toFixed(3)}, ln 10 = ${Math.log(10).toFixed(3)} without looking`,
  );
  console.log(
    `${(100 * right).toFixed(1)} % of new questions right; ${(100 * onTarget).toFixed(1)} % of the attention is where the answer is\n`,
  );

  // One text, asked for its letters in the order of the alphabet.
  const [seen, said] = [fresh.seen.slice(0, 0, 1), fresh.said.slice(0, 0, 1)];
  const asked = seen.dataSync().slice().sort();
  const looks = noGrad(() => model.look(tensor(asked).reshape(1, -1), seen, said).weights.select(0, 0));
  const [letter, number] = [seen.dataSync(), said.dataSync()];
  show(
    {
      "attention-looks": heatmap(looks.mul(100).round().div(100), {
        title: "Where each question looks",
        rows: Array.from(asked, (one) => `${name(one)}?`),
        columns: Array.from(letter, (one, i) => `${name(one)} ${number[i]}`),
        y: "question",
        x: "text",
      }),
    },
    values.svg,
  );
  return { loss: losses.at(-1), right, onTarget };
});
