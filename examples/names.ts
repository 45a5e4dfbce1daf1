// A recurrent network that learns, letter by letter, what names look like, and invents new ones.
import { readFileSync } from "node:fs";
import {
  AdamW,
  batches,
  clipGradNorm,
  compile,
  cosine,
  crossEntropy,
  Dropout,
  Embedding,
  GRU,
  isa,
  Linear,
  LSTM,
  Module,
  multinomial,
  noGrad,
  randperm,
  seed,
  setThreads,
  type Tensor,
  tensor,
  threads,
} from "nabla";
import { choice, integer, path, Refusal, real, run } from "./options.ts";
import { machine, Progress } from "./terminal.ts";

const program = {
  call: "npx tsx examples/names.ts",
  about:
    "Learns names letter by letter, tells its loss beside that of counted pairs of letters, and invents new names.",
  options: {
    data: path("FILE", undefined, "names, one a line; without it a list of 279"),
    cell: choice(["lstm", "gru"], "the kind of layer"),
    hidden: integer(undefined, "size of its state; 256, for few names 48", { max: 4096 }),
    layers: integer(1, "layers", { max: 8 }),
    epochs: integer(undefined, "times through the names; 12, for few names 60", { max: 10_000 }),
    batch: integer(undefined, "names per step; 64, for few names 16", { max: 65536 }),
    lr: real(0.004, "highest learning rate, after a warm-up and before a cosine", { max: 1 }),
    dropout: real(undefined, "probability of dropout before and after the layers; 0.1, for few names 0.4", { max: 1 }),
    invent: integer(20, "names to invent", { min: 0, max: 10_000 }),
    temperature: real(0.9, "how freely it invents", { min: 0.01, max: 100 }),
    threads: integer(undefined, "threads of the kernels", { max: 1024 }),
    seed: integer(0, "seed of the weights, the order and the inventions", { min: 0, max: 2 ** 31 - 1 }),
  },
} as const;

const embedded = `ada adam adela agnes aiden alan alba albert alda alex alice alma alva amara amelia amos amy ana andrea andrew
angela anita anna anton arlo arthur asa astrid aurora ava axel barbara basil beata ben bertha bianca boris bruno calla calvin
camilla carl carla carmen carol cecil celia chiara clara clark claudia clement clive clara colin cora cyril dana daniel daphne
daria david dean delia della dennis diana dina dora doris dorothy edgar edith edmund edna edwin elena eli elias elisa ella ellen
elmer eloise elsa elvira emil emilia emma enid eric erica erin ernest esther ethan eva evan eve ezra felix fiona flora florian
frances frank freda gemma george gerald gilda gloria grace greta gustav hanna harold harriet harry hazel hector helen helga henry
herman hilda hugo ida igor ilse ines ingrid ira irene iris irma isa isabel ivan ivy jacob jana jasper jean jenny jesse joan joel
johanna john jonas josef julia julian juno kara karin karl kate klara kira lana lara laura lea leah lena leo leona leopold levi
lewis lida lila lilian linda linus lisa lola lora louis louisa lucas lucia luis luna lydia mabel magda malcolm mara marcus margo
maria marina marion mark marta martin mary matilda maud max maya mia mila milo mina mira miriam mona monica morris nadia nathan
nell nina noah noel nora norma norman octavia olga oliver olive oscar otto owen pamela paul paula pearl percy peter petra philip
quentin ralph ramona regina rene rhoda rita robert robin roland rosa rosalind rudolf rufus ruth sally sara selma silas simon sofia
stella sylvia tara thea theo thomas tilda tina toby ursula vera victor viola virginia walter wanda wilma yara yvonne zelda zoe`;

/** Names with their letters as numbers; 0 stands before and behind each. */
interface Names {
  readonly all: string[];
  readonly letters: string[];
  /** Steps of the longest, with its end. */
  readonly steps: number;
}
function load(file: string | undefined): Names {
  let text = embedded;
  if (file !== undefined) {
    try {
      text = readFileSync(file, "utf8");
    } catch (error) {
      throw new Refusal(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
    }
  }
  const lines = text.split(file === undefined ? /\s+/ : /\r?\n/).map((line) => line.trim());
  const all = [...new Set(lines.filter((line) => line !== ""))];
  if (all.length < 20) throw new Refusal(`${file}: ${all.length} different names, at least 20 are needed`);
  const steps = 1 + Math.max(...all.map((name) => [...name].length));
  if (steps > 100) throw new Refusal(`${file}: a line has ${steps - 1} letters, names have at most 99`);
  return { all, letters: ["", ...new Set(all.flatMap((name) => [...name]))].sort(), steps };
}

const ignored = -100;
/** x: 0 and the letters; y: the letters and 0; behind that nothing counts. */
function encode(names: readonly string[], { letters, steps }: Names) {
  const place = new Map(letters.map((letter, i) => [letter, i]));
  const [x, y] = [new Int32Array(names.length * steps), new Int32Array(names.length * steps).fill(ignored)];
  names.forEach((name, n) => {
    [...name, ""].forEach((letter, i) => {
      const number = place.get(letter)!;
      y[n * steps + i] = number;
      if (letter !== "") x[n * steps + i + 1] = number;
    });
  });
  const shape = [names.length, steps] as const;
  return { x: tensor(x).reshape(...shape), y: tensor(y).reshape(...shape) };
}

/** Mean -ln p of a letter, end included, by how often it followed the letter before in the names to learn from, plus one. */
function bigramLoss(train: readonly string[], test: readonly string[], letters: number): number {
  const pairs = (name: string): [string, string][] => {
    const all = ["", ...name, ""];
    return all.slice(1).map((letter, i) => [all[i]!, letter]);
  };
  const count = new Map<string, number>();
  const total = new Map<string, number>();
  for (const [a, b] of train.flatMap(pairs)) {
    count.set(`${a} ${b}`, (count.get(`${a} ${b}`) ?? 0) + 1);
    total.set(a, (total.get(a) ?? 0) + 1);
  }
  const losses = test.flatMap(pairs).map(([a, b]) => {
    return -Math.log(((count.get(`${a} ${b}`) ?? 0) + 1) / ((total.get(a) ?? 0) + letters));
  });
  return losses.reduce((s, x) => s + x, 0) / losses.length;
}

type Ids = Tensor<[number, number], "i32">;
interface Sizes {
  readonly cell: "lstm" | "gru";
  readonly hidden: number;
  readonly layers: number;
  readonly dropout: number;
}
class Letters extends Module {
  readonly embedding;
  readonly layer;
  readonly head;
  readonly drop;
  constructor(letters: number, { cell, hidden, layers, dropout }: Sizes) {
    super();
    const width = Math.min(hidden, 32);
    const options = { numLayers: layers, batchFirst: true, dropout };
    this.embedding = new Embedding(letters, width);
    this.layer = cell === "lstm" ? new LSTM(width, hidden, options) : new GRU(width, hidden, options);
    this.head = new Linear(hidden, letters);
    this.drop = new Dropout(dropout);
  }
  /** Logits of the letter behind each, and the state to go on from. */
  forward(ids: Ids, state?: never): [logits: Tensor, state: never] {
    const x = this.drop.forward(this.embedding.forward(ids));
    const [y, last] = this.layer.forward(x, state);
    return [this.head.forward(this.drop.forward(y)), last as never];
  }
}

/** Mean loss of a letter. */
function lossOf(model: Letters, { x, y }: { x: Ids; y: Ids }): number {
  model.eval();
  let [sum, count] = [0, 0];
  for (const [ids, next] of batches(x, y, { size: 512 })) {
    const loss = noGrad(() => crossEntropy(model.forward(ids)[0], next as never, { reduction: "sum" }));
    sum += (loss as Tensor).item();
    count += next.ge(0).sum().item();
  }
  model.train();
  return sum / count;
}

/** Names drawn letter by letter, as many at once as are asked for. */
function draw(model: Letters, { letters, steps }: Names, count: number, temperature: number): string[] {
  const names = new Array<string>(count).fill("");
  const done = new Array<boolean>(count).fill(false);
  let ids: Ids = tensor(new Int32Array(count)).reshape(count, 1);
  let state: never | undefined;
  for (let t = 0; t < steps && done.includes(false); t++) {
    const [logits, next] = model.forward(ids, state);
    state = next;
    const drawn = multinomial(logits.select(1, 0).div(temperature).softmax(), 1);
    drawn.dataSync().forEach((letter, n) => {
      if (letter === 0) done[n] = true;
      if (!done[n]) names[n] += letters[letter];
    });
    ids = drawn as Ids;
  }
  return names.filter((_, n) => done[n]);
}
/** Names that are in no list, each once. */
function invent(model: Letters, names: Names, count: number, temperature: number): string[] {
  const known = new Set(["", ...names.all]);
  const found: string[] = [];
  model.eval();
  for (let round = 0; round < 50 && found.length < count; round++) {
    for (const name of noGrad(() => draw(model, names, count, temperature))) {
      if (!known.has(name) && found.length < count) found.push(name);
      known.add(name);
    }
  }
  return found;
}

await run(program, async (values) => {
  if (values.threads !== undefined) setThreads(values.threads);
  seed(values.seed);
  const names = load(values.data);
  const few = names.all.length < 2000;
  const { hidden = few ? 48 : 256, epochs = few ? 60 : 12, dropout = few ? 0.4 : 0.1 } = values;
  const order = Array.from(randperm(names.all.length).dataSync(), (i) => names.all[i]!);
  const held = Math.round(order.length / 10);
  const [test, train] = [order.slice(0, held), order.slice(held)];
  const batch = Math.min(values.batch ?? (few ? 16 : 64), train.length);
  console.log(`data    ${train.length} names to learn, ${test.length} to test, ${names.letters.length - 1} letters`);
  console.log(`on      ${machine()}`);

  const model = new Letters(names.letters.length, { ...values, hidden, dropout });
  console.log(`${model}\n`);
  const { x, y } = encode(train, names);
  const data = batches(x, y, { size: batch, shuffle: true, seed: values.seed, dropLast: true });
  const validation = encode(test, names);
  const optimizer = new AdamW(model, { lr: values.lr, weightDecay: 0.05 });
  const rate = cosine({ from: values.lr, steps: epochs * data.length, warmup: data.length / 2 });
  const step = compile((ids: Ids, next: Ids) => {
    const loss = crossEntropy(model.forward(ids)[0], next as never);
    optimizer.zeroGrad();
    loss.backward();
    clipGradNorm(model, 1);
    optimizer.step();
    return loss;
  });
  const progress = new Progress(epochs * data.length * batch);
  const started = performance.now();
  let [n, best, trainLoss] = [0, Number.POSITIVE_INFINITY, Number.NaN];
  let weights = new Map<string, Tensor>();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let sum = 0;
    for (const [ids, next] of data) {
      optimizer.lr = rate(n++);
      sum += ((await step(ids, next)) as Tensor).item();
      progress.update(n * batch, () => `epoch ${epoch}/${epochs}  loss ${(sum / data.position).toFixed(4)}`);
    }
    const loss = lossOf(model, validation);
    if (loss < best) {
      [best, trainLoss] = [loss, sum / data.length];
      weights = new Map([...model.stateDict()].map(([name, w]) => [name, w.clone()]));
    }
  }
  const seconds = (performance.now() - started) / 1000;
  model.loadStateDict(weights);
  const bigram = bigramLoss(train, test, names.letters.length);
  console.log(`\nloss    ${best.toFixed(4)} a letter on names it has not seen, of counted pairs ${bigram.toFixed(4)}`);
  console.log(`        ${trainLoss.toFixed(4)} on those it has, ${seconds.toFixed(1)} s`);
  const invented = invent(model, names, values.invent, values.temperature);
  console.log(`\n${invented.join("\n")}`);
  return { loss: best, bigramLoss: bigram, trainLoss, names: invented, seconds, isa: isa(), threads: threads() };
});
