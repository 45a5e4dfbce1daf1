import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { rowCount } from "../native.gen.ts";
import type { TypedArray } from "./dtype.ts";
import { fail, NablaError } from "./errors.ts";

export type Handed = TypedArray | number | null;

/** A plan in arrays of numbers, as native/compiled.cc reads it. */
export interface PlanArrays {
  /** Of each slot: 0 arena, 1 state, 2 tile; dtype; byte offset; elements. */
  homes: Uint32Array;
  types: Uint32Array;
  offsets: Float64Array;
  lengths: Float64Array;
  states: TypedArray[];
  arenaBytes: number;
  /** Of each step: row, words, operands (slot, -1 absent, -2 - i the number i). */
  rows: Uint32Array;
  wordCounts: Uint32Array;
  words: Float64Array;
  operands: Int32Array;
  numbers: Float64Array;
  /** Steps of each group; a group of several is run tile by tile. */
  groups: Uint32Array;
  inputs: Uint32Array;
  outputs: Uint32Array;
  /** Of each check: its slot and the group after which it is looked at. */
  checks: Uint32Array;
  /** State that a failed check gives back. */
  saved: Uint32Array;
}
export interface Program {
  /** Returns the number of the check that failed and what it found, if one did. */
  run(inputs: TypedArray[], outputs: TypedArray[], repeat: number): readonly [check: number, found: number] | undefined;
  runAsync(
    inputs: TypedArray[],
    outputs: TypedArray[],
    repeat: number,
    done: (code: string | undefined, check: number, found: number) => void,
  ): number;
  profile(on: boolean): void;
  times(): Float64Array;
  dispose(): void;
}

interface Addon {
  readonly Program: new (plan: PlanArrays) => Program;
  drain(): void;
  cancel(ticket: number): void;
  run(row: number, words: number, ...arrays: Handed[]): void;
  readonly words: Float64Array;
  readonly rows: readonly { name: string; dtype: string; driver: string; shapes: string; params: string }[];
  readonly isas: readonly string[];
  isa(): string;
  use(isa: string): void;
  threads(): number;
  setThreads(n: number): void;
  lead(buffer: ArrayBufferLike): number;
}

function load(): Addon {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  let addon: Addon;
  try {
    addon = (createRequire(import.meta.url)("node-gyp-build") as (dir: string) => Addon)(root);
  } catch (cause) {
    fail(
      "ERR_NABLA_NATIVE",
      "import",
      `no native build for ${process.platform}-${process.arch}, Node ${process.versions.node}`,
      {
        cause,
        hint: "run `npm rebuild nabla` (needs a C++20 compiler and python3); if npm blocks install scripts: `npm install-scripts approve nabla && npm rebuild nabla`",
      },
    );
  }
  if (addon.rows.length !== rowCount) {
    fail(
      "ERR_NABLA_NATIVE",
      "import",
      `the native build has ${addon.rows.length} kernels, this version needs ${rowCount}`,
      {
        hint: "it was built from other sources: run `npm rebuild nabla`",
      },
    );
  }
  return addon;
}

/** The only place that sees the .node file. */
export const native: Addon = load();

/** A setting of the environment; the empty string counts as unset. */
function setting(name: string): string | undefined {
  return process.env[name] || undefined;
}

function configure(): void {
  const wanted = setting("NABLA_ISA");
  if (wanted !== undefined) {
    if (!native.isas.includes(wanted)) {
      const known = ["scalar", "avx2", "avx512", "avx512dot", "neon"].includes(wanted);
      fail(
        "ERR_NABLA_VALUE",
        "NABLA_ISA",
        known ? `this machine cannot run ${wanted}` : `there is no instruction set "${wanted}"`,
        {
          expected: native.isas,
          actual: wanted,
          hint: `one of ${native.isas.join(", ")}`,
        },
      );
    }
    native.use(wanted);
  }
  const count = setting("NABLA_THREADS");
  if (count !== undefined)
    native.setThreads(checkThreads("NABLA_THREADS", /^\d+$/.test(count) ? Number(count) : count));
}

function checkThreads(op: string, n: unknown): number {
  if (typeof n === "number" && Number.isInteger(n) && n >= 1 && n <= 256) return n;
  return fail("ERR_NABLA_VALUE", op, `${String(n)} is not a number of threads`, {
    expected: "a whole number from 1 to 256",
    actual: n,
  });
}

/** Threads that kernels use, the caller included. */
export function threads(): number {
  return native.threads();
}
/** Sets the number of threads; results keep their bits. */
export function setThreads(n: number): void {
  native.setThreads(checkThreads("setThreads", n));
}
/** The instruction set of the kernels in use: "scalar", "avx2", "avx512", "avx512dot" or "neon". */
export function isa(): string {
  return native.isa();
}

/** A native complaint in the project's one error class. */
export function rethrow(error: unknown): never {
  const e = error as Error & { code?: string };
  if (e instanceof NablaError || !e.code?.startsWith("ERR_NABLA_")) throw error;
  const [op = "native", ...rest] = e.message.split(": ");
  throw new NablaError(e.code as NablaError["code"], op, rest.join(": "), { cause: e });
}

configure();
