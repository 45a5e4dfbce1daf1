// Predicts a column of a table from the others: a small network beside what needs none, by cross-validation.
import {
  AdamW,
  batches,
  type Cell,
  compile,
  cosine,
  crossEntropy,
  Dropout,
  Encoder,
  isa,
  Linear,
  type Module,
  mse,
  noGrad,
  ReLU,
  readTable,
  Sequential,
  seed,
  setThreads,
  Table,
  type Tensor,
  threads,
} from "nabla";
import { choice, integer, path, Refusal, real, run } from "./options.ts";
import { machine, Progress } from "./terminal.ts";

const program = {
  call: "npx tsx examples/table.ts",
  about: "Predicts a column of a CSV file: classes or a number, scored on rows that were not trained on.",
  options: {
    data: path("FILE", undefined, "a CSV file with a header (needs csv-parse); without it two tables are made up here"),
    target: path("COLUMN", undefined, "what to predict; the first column unless given"),
    without: path("COLUMNS", undefined, "columns to leave out, separated by commas"),
    task: choice(["auto", "classes", "number"], "what the target is; auto: classes if it is of texts"),
    folds: integer(5, "parts of the cross-validation", { min: 2, max: 100 }),
    epochs: integer(40, "times through the rows", { max: 100_000 }),
    hidden: integer(32, "size of the two hidden layers", { max: 4096 }),
    batch: integer(32, "rows per step", { max: 65536 }),
    lr: real(0.003, "highest learning rate, before a cosine", { max: 1 }),
    decay: real(0.01, "weight decay", { max: 10 }),
    dropout: real(0.2, "probability of dropout", { max: 1 }),
    threads: integer(1, "threads of the kernels", { max: 1024 }),
    seed: integer(0, "seed of the folds and the weights", { min: 0, max: 2 ** 31 - 1 }),
    save: path("FILE", undefined, "where a model of all rows goes, its encoder in the header"),
  },
} as const;
interface Options {
  readonly folds: number;
  readonly epochs: number;
  readonly hidden: number;
  readonly batch: number;
  readonly lr: number;
  readonly decay: number;
  readonly dropout: number;
  readonly seed: number;
}

/** Numbers in [0, 1) from a 32-bit state. */
function stream(state: number): () => number {
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state ^ (state >>> 15)) >>> 0) / 2 ** 32;
  };
}
/** Mushrooms whose safety no straight line divides, with a text column and gaps; their weight follows from their size. */
function mushrooms(count: number, from: number): Table {
  const next = stream(from * 7919 + 17);
  const bell = () => next() + next() + next() + next() - 2;
  const rows = Array.from({ length: count }, (): Cell[] => {
    const [cap, stem] = [5 + 2 * bell(), 6 + 2 * bell()];
    const place = ["meadow", "spruce", "beech"][Math.floor(3 * next())]!;
    const round = (cap - 5) ** 2 + (stem - 6) ** 2 < (place === "beech" ? 2.6 : 1.1);
    const weight = 3 * cap ** 2 + (place === "spruce" ? 4 : 8) * stem + 6 * bell();
    const known = (x: number): Cell => (next() < 0.03 ? null : Number(x.toFixed(2)));
    return [round ? "poisonous" : "edible", place, known(cap), known(stem), Number(weight.toFixed(1))];
  });
  return new Table(["kind", "place", "cap", "stem", "weight"], rows);
}

type Net = Module & { forward(x: Tensor<[number, number]>): Tensor };
type Rows = { x: Tensor<[number, number], "f32">; y: Tensor };

/** Trains by compiled steps, all of one size. */
async function train(net: Net, { x, y }: Rows, options: Options, classes: boolean): Promise<void> {
  const size = Math.min(options.batch, x.shape[0]);
  const data = batches(x, y, { size, shuffle: true, seed: options.seed, dropLast: true });
  const optimizer = new AdamW(net, { lr: options.lr, weightDecay: options.decay });
  const rate = cosine({ from: options.lr, steps: options.epochs * data.length });
  const step = compile((some: Tensor<[number, number]>, truth: Tensor) => {
    const out = net.forward(some);
    const loss = classes ? crossEntropy(out, truth as never) : mse(out, truth as never);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  for (let n = 0, epoch = 0; epoch < options.epochs; epoch++)
    for (const [some, truth] of data) {
      optimizer.lr = rate(n++);
      step.sync(some, truth);
    }
  step[Symbol.dispose]();
}

const mean = (x: readonly number[]): number => x.reduce((s, v) => s + v, 0) / x.length;
const deviation = (x: readonly number[]): number => Math.sqrt(mean(x.map((v) => (v - mean(x)) ** 2)));

/** The share that is right, or the root of the mean squared distance. */
function score(found: readonly Cell[], truth: readonly Cell[], classes: boolean): number {
  if (classes) return mean(found.map((v, i) => Number(v === truth[i])));
  return Math.sqrt(mean(found.map((v, i) => (Number(v) - Number(truth[i])) ** 2)));
}
/** What the most frequent class, or the mean, scores. */
function constant(known: readonly Cell[], truth: readonly Cell[], classes: boolean): number {
  const count = (v: Cell) => known.filter((k) => k === v).length;
  const best = classes
    ? [...new Set(known)].reduce((a, b) => (count(b) > count(a) ? b : a), known[0]!)
    : mean(known as number[]);
  return score(
    truth.map(() => best),
    truth,
    classes,
  );
}
function predict(net: Net, encoder: Encoder, table: Table): Cell[] {
  net.eval();
  const out = noGrad(() => net.forward(encoder.inputs(table)));
  return encoder.decode((encoder.classes ? out.argmax(1) : out.reshape(-1)).dataSync());
}

function network(inputs: number, outputs: number, { hidden, dropout }: Options): Net {
  return new Sequential(
    new Linear(inputs, hidden),
    new ReLU(),
    new Dropout(dropout),
    new Linear(hidden, hidden),
    new ReLU(),
    new Linear(hidden, outputs),
  ) as never;
}

interface Scores {
  readonly network: number[];
  readonly linear: number[];
  readonly constant: number[];
}
interface Question {
  readonly table: Table;
  readonly target: string;
  readonly without: readonly string[];
  readonly classes: boolean;
}

/** Scores of each fold: the encoder, too, sees the training part alone. */
async function crossValidate({ table, target, without, classes }: Question, options: Options): Promise<Scores> {
  const scores: Scores = { network: [], linear: [], constant: [] };
  const folds = table.folds(options.folds, { seed: options.seed, ...(classes ? { stratify: target } : {}) });
  const progress = new Progress(folds.length);
  for (const [i, { train: known, test }] of folds.entries()) {
    const encoder = Encoder.fit(known, { target, without, classes });
    const rows = encoder.encode(known);
    const truth = test.column(target).cells;
    const outputs = encoder.classes?.length ?? 1;
    const tried = (net: Net) => score(predict(net, encoder, test), truth, classes);
    const net = network(rows.x.shape[1], outputs, options);
    await train(net, rows, options, classes);
    scores.network.push(tried(net));
    const straight: Net = new Linear(rows.x.shape[1], outputs) as never;
    await train(straight, rows, { ...options, lr: 0.05, decay: 0 }, classes);
    scores.linear.push(tried(straight));
    scores.constant.push(constant(known.column(target).cells, truth, classes));
    progress.update(i + 1, () => `fold ${i + 1}/${folds.length}`);
  }
  return scores;
}

/** Tells the scores of one question, and gives them for --json. */
async function answer(question: Question, options: Options) {
  const { table, target, classes } = question;
  console.log(`\n${target} of ${table.length} rows: ${classes ? "classes" : "a number"}`);
  const scores = await crossValidate(question, options);
  const show = (x: number) => (classes ? `${(100 * x).toFixed(1)}%` : x.toPrecision(4));
  const line = (name: string, x: readonly number[]) =>
    console.log(`  ${name.padEnd(16)} ${show(mean(x)).padStart(7)} ± ${show(deviation(x))}`);
  console.log(classes ? "  accuracy on rows not trained on" : "  root mean squared error on rows not trained on");
  line("network", scores.network);
  line("linear model", scores.linear);
  line(classes ? "most frequent" : "mean", scores.constant);
  const kind = classes ? "accuracy" : "rmse";
  const figures = { network: mean(scores.network), linear: mean(scores.linear), constant: mean(scores.constant) };
  return { target, rows: table.length, score: kind, ...figures, deviation: deviation(scores.network) };
}

async function save(file: string, { table, target, without, classes }: Question, options: Options): Promise<void> {
  const encoder = Encoder.fit(table, { target, without, classes });
  const rows = encoder.encode(table);
  const net = network(rows.x.shape[1], encoder.classes?.length ?? 1, options);
  await train(net, rows, options, classes);
  await net.save(file, { metadata: { encoder: JSON.stringify(encoder) } });
  console.log(`\nsaved ${file}`);
}

await run(program, async (values) => {
  setThreads(values.threads);
  seed(values.seed);
  console.log(`on      ${machine()}`);
  const questions: Question[] = [];
  if (values.data === undefined) {
    const table = mushrooms(600, values.seed);
    questions.push({ table, target: "kind", without: ["weight"], classes: true });
    questions.push({ table, target: "weight", without: ["kind"], classes: false });
  } else {
    const whole = await readTable(values.data);
    const { target = whole.names[0]! } = values;
    if (!whole.names.includes(target)) throw new Refusal(`--target must be one of ${whole.names.join(", ")}`);
    const table = whole.filter((row) => row[target] !== null);
    const classes = values.task === "auto" ? whole.column(target).kind === "text" : values.task === "classes";
    if (!classes && whole.column(target).kind === "text") throw new Refusal(`--task number: ${target} is of texts`);
    const without = values.without?.split(",").map((name) => name.trim()) ?? [];
    questions.push({ table, target, without, classes });
  }
  const answers = [];
  for (const question of questions) answers.push(await answer(question, values));
  if (values.save !== undefined) await save(values.save, questions[0]!, values);
  return { answers, isa: isa(), threads: threads() };
});
