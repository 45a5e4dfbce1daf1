// Libraries of matrix products beside ours: each in a process of its own, asleep but for its turns, since the threads of
// OpenBLAS spin long after a call and would slow whoever comes next.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { isa } from "nabla";

interface Known {
  readonly name: string;
  readonly libraries: readonly string[];
  readonly symbol: string;
  readonly kind: "cblas" | "dnnl";
  /** Environment variables that say how many threads. */
  readonly threads: readonly string[];
  readonly install: string;
}
const known: readonly Known[] = [
  {
    name: "OpenBLAS",
    libraries: ["libopenblas.so.0", "libopenblas.so"],
    symbol: "cblas_sgemm",
    kind: "cblas",
    threads: ["OPENBLAS_NUM_THREADS"],
    install: "apt-get install libopenblas0-pthread",
  },
  {
    name: "MKL",
    libraries: ["libmkl_rt.so.2", "libmkl_rt.so"],
    symbol: "cblas_sgemm",
    kind: "cblas",
    threads: ["MKL_NUM_THREADS", "OMP_NUM_THREADS"],
    install: "apt-get install libmkl-rt (Debian non-free)",
  },
  {
    name: "oneDNN",
    libraries: ["libdnnl.so.3", "libdnnl.so.2", "libdnnl.so"],
    symbol: "dnnl_sgemm",
    kind: "dnnl",
    threads: ["OMP_NUM_THREADS"],
    install: "apt-get install libdnnl3 (libdnnl2 in Debian 12)",
  },
];

/** What others run in: OpenBLAS does not know every processor that has AVX-512, and a machine may be set to less than it has. */
export function environment(): NodeJS.ProcessEnv {
  return { ...process.env, ...(isa().startsWith("avx512") && { OPENBLAS_CORETYPE: "SkylakeX" }) };
}

/** c [m, n] = a b: a is turned in memory in TN, b in NT. */
export type Shape = readonly [m: number, n: number, k: number, layout: "NN" | "NT" | "TN"];

/** A library at work. */
export class Blas {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  static async #open(program: string, peer: Known, library: string, threads: number): Promise<Blas | string> {
    const env = environment();
    for (const name of peer.threads) env[name] = `${threads}`;
    const child = spawn(program, [library, peer.symbol, peer.kind], { env, stdio: ["pipe", "pipe", "inherit"] });
    const blas = new Blas(peer.name, child);
    const answer = (await blas.#lines.next()).value ?? "absent it did not start";
    if (!answer.startsWith("ready")) return answer.slice("absent ".length);
    child.kill("SIGSTOP");
    return blas;
  }
  /** The libraries that are installed, and a sentence for each that is not. */
  static async all(threads: number): Promise<{ peers: Blas[]; absent: string[] }> {
    const folder = fileURLToPath(new URL("../build/", import.meta.url));
    const program = `${folder}gemm`;
    mkdirSync(folder, { recursive: true });
    const source = fileURLToPath(new URL("peers/gemm.c", import.meta.url));
    try {
      execFileSync("cc", ["-O2", source, "-o", program, "-ldl", "-lm"], { stdio: ["ignore", "ignore", "pipe"] });
    } catch {
      return { peers: [], absent: ["no C compiler (cc) for the program that opens other libraries"] };
    }
    const peers: Blas[] = [];
    const absent: string[] = [];
    for (const peer of known) {
      let found: Blas | string = "";
      for (const library of peer.libraries) {
        found = await Blas.#open(program, peer, library, threads);
        if (typeof found !== "string") break;
      }
      if (typeof found === "string") absent.push(`${peer.name} is absent; to measure against it: ${peer.install}`);
      else peers.push(found);
    }
    return { peers, absent };
  }

  async #ask([m, n, k, layout]: Shape, ms: number): Promise<number[]> {
    this.#child.kill("SIGCONT");
    this.#child.stdin!.write(`${m} ${n} ${k} ${layout === "TN" ? 1 : 0} ${layout === "NT" ? 1 : 0} ${ms}\n`);
    const answer = (await this.#lines.next()).value ?? "it ended";
    this.#child.kill("SIGSTOP");
    const numbers = answer.split(" ").map(Number);
    if (numbers.some(Number.isNaN)) throw new Error(`${this.name}, ${layout} ${m}x${n}x${k}: ${answer}`);
    return numbers;
  }
  /** Nanoseconds of one call, over about ms milliseconds. */
  async time(shape: Shape, ms: number): Promise<number> {
    const [time] = await this.#ask(shape, ms);
    return time!;
  }
  /** Of operands from -1/2 to 1/2, the largest and the mean error in units of 2^-24 sum |a| |b|. */
  async errors(shape: Shape): Promise<number[]> {
    return await this.#ask(shape, 0);
  }
  stop(): void {
    this.#child.kill("SIGKILL");
  }
}
