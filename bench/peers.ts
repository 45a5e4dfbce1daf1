// The other side of a comparison: one process for each peer, which trains on the same case when told and else waits.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { environment } from "./blas.ts";

const folder = fileURLToPath(new URL("peers/", import.meta.url));

export interface Known {
  name: string;
  /** The command for a case, on so many threads; peers without threads run once, beside one thread of ours. */
  command(file: string, threads: number): string[];
  threaded: boolean;
  /** Its losses are its own: only its time is told. */
  apart?: boolean;
}
const python = process.env.NABLA_PYTHON ?? "python3";
const script = (file: string): string => `${folder}${file}`;
export const known: readonly Known[] = [
  {
    name: "PyTorch eager",
    command: (file, n) => [python, script("pytorch.py"), file, `${n}`, "eager"],
    threaded: true,
  },
  {
    name: "PyTorch compile",
    command: (file, n) => [python, script("pytorch.py"), file, `${n}`, "compile"],
    threaded: true,
  },
  { name: "jax-js Wasm", command: (file) => [process.execPath, script("jax.mjs"), file], threaded: false },
  { name: "tfjs Wasm", command: (file) => [process.execPath, script("tfjs.mjs"), file, "wasm"], threaded: false },
  { name: "tfjs", command: (file) => [process.execPath, script("tfjs.mjs"), file, "cpu"], threaded: false },
  { name: "js-pytorch", command: (file) => [process.execPath, script("jspytorch.mjs"), file], threaded: false },
  { name: "brain.js", command: (file) => [process.execPath, script("brain.mjs"), file], threaded: false, apart: true },
];

interface Answer {
  ready?: true;
  version?: string;
  absent?: string;
  /** It is here and cannot train this model. */
  unable?: true;
  losses?: number[];
  ms?: number;
}

/** A peer at work on one case. */
export class Peer {
  name: string;
  readonly apart: boolean;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #closed: Promise<unknown>;
  #complaint = "";

  private constructor({ name, apart = false }: Known, [command, ...words]: string[]) {
    this.name = name;
    this.apart = apart;
    this.#child = spawn(command!, words, { env: environment(), stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stdin!.on("error", () => {});
    this.#child.stderr!.on("data", (text) => {
      this.#complaint = `${this.#complaint}${text}`.slice(-2000);
    });
    this.#child.on("error", (error) => {
      this.#complaint = error.message;
    });
    this.#closed = new Promise((done) => this.#child.once("close", done));
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** The peer, ready to train, or why it takes no part; nothing to say where this model is not for it. */
  static async start(peer: Known, file: string, threads: number): Promise<Peer | string> {
    const started = new Peer(peer, peer.command(file, threads));
    const answer = await started.#answer();
    if (answer.ready) {
      if (answer.version) started.name += ` ${answer.version}`;
      return started;
    }
    started.stop();
    return answer.unable ? "" : (answer.absent ?? "it did not start");
  }
  /** The next line that is an answer: libraries talk on stdout too. */
  async #answer(): Promise<Answer> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) await this.#closed;
      if (done) return { absent: this.#complaint.trim().split("\n").at(-1) || "it ended" };
      if (value.startsWith("{")) return JSON.parse(value);
    }
  }
  async #ask(question: object): Promise<Answer> {
    this.#child.stdin!.write(`${JSON.stringify(question)}\n`);
    const answer = await this.#answer();
    if (answer.absent) throw new Error(answer.absent);
    return answer;
  }
  async losses(count: number): Promise<number[]> {
    return (await this.#ask({ losses: count })).losses!;
  }
  /** Milliseconds of n steps. */
  async run(n: number): Promise<number> {
    return (await this.#ask({ run: n })).ms!;
  }
  stop(): void {
    this.#child.kill();
  }
}
