// What the parent and a peer say to each other: the parent writes a case (first weights, batches), the peer says that it
// is ready, then answers each line: {"losses": n} with the loss of n steps, {"run": n} with the milliseconds of n more.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const kinds = { F32: Float32Array, I32: Int32Array };

/** A safetensors file: { rule, name, tensors: Map of name to { shape, data } }. */
export function readCase(path) {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: about, ...entries } = JSON.parse(bytes.toString("utf8", 8, 8 + length));
  const tensors = new Map();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(entries)) {
    const [from, to] = data_offsets.map((at) => at + 8 + length);
    tensors.set(name, {
      shape,
      data: new kinds[dtype](bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + to)),
    });
  }
  return { name: about.name, rule: JSON.parse(about.rule), batches: Number(about.batches), tensors };
}

/** Rows of a matrix as columns: [r, c] to [c, r]. */
export function transposed({ shape: [r, c], data }) {
  const out = new Float32Array(r * c);
  for (let i = 0; i < r; i++) for (let j = 0; j < c; j++) out[j * r + i] = data[i * c + j];
  return { shape: [c, r], data: out };
}

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

/** Ends with the reason why this peer takes no part. */
export function absent(reason) {
  say({ absent: String(reason).split("\n")[0] });
  process.exit(0);
}

/** Ends because this model is not one that the peer can train. */
export function unable() {
  say({ absent: "not its kind of model", unable: true });
  process.exit(0);
}

/** step(i, wanted) trains on batch i; it gives (a promise of) the loss where it is wanted. */
export async function serve(step) {
  let at = 0;
  say({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const { losses: count, run } = JSON.parse(line);
    try {
      if (count !== undefined) {
        const losses = [];
        for (let i = 0; i < count; i++) losses.push(await step(at++, true));
        say({ losses });
      } else {
        const start = performance.now();
        for (let i = 0; i < run; i++) await step(at++, i === run - 1);
        say({ ms: performance.now() - start });
      }
    } catch (error) {
      absent(error?.message ?? error);
    }
  }
}
