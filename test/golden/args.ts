// What a golden case hands an op: tensors and attributes in one list of names, each asked for by kind.
import { Value } from "../../lib/core/value.ts";
import { Skip } from "./outcome.ts";
import { numbers } from "./values.ts";

export type Arg =
  | Value
  | number
  | string
  | boolean
  | null
  | undefined
  | readonly Arg[]
  | { readonly [key: string]: Arg };
export type Result = Value | readonly Value[] | { readonly [name: string]: Value };

export interface Entry {
  /** Parameter names in torch's order, for cases that pass them by position. */
  readonly names: readonly string[];
  run(a: Args): Result;
}
export type Table = Record<string, Entry>;

/** An entry of the table; names as one string: "input other". */
export const entry = (names: string, run: (a: Args) => Result): Entry => ({ names: names.split(" "), run });

const numeric: Record<string, number> = {
  inf: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
  nan: Number.NaN,
};
/** JSON has no infinities: "inf" stands for one. */
const plain = (x: Arg): Arg => (typeof x === "string" && x in numeric ? numeric[x] : x);

/** Remembers what was asked, so that an attribute nobody looked at is not silently ignored. */
export class Args {
  readonly #given: Map<string, Arg> = new Map();
  readonly #unread: Set<string> = new Set();

  constructor(given: Iterable<readonly [string, Arg]>) {
    const lists = new Map<string, Arg[]>();
    for (const [name, x] of given) {
      const [, stem, at] = /^(.+)\.(\d+)$/.exec(name) ?? [];
      if (stem !== undefined) {
        const list = lists.get(stem) ?? [];
        list[Number(at)] = x;
        lists.set(stem, list);
      } else if (x !== null && x !== undefined) this.#given.set(name, plain(x));
    }
    for (const [name, list] of lists) this.#given.set(name, list);
    for (const name of this.#given.keys()) this.#unread.add(name);
  }

  /** Throws a Skip where an attribute was not read. */
  finish(): void {
    const [first] = this.#unread;
    if (first !== undefined) throw new Skip(`no ${first} here`);
  }
  ignore(...names: string[]): void {
    for (const name of names) this.#unread.delete(name);
  }
  has(name: string): boolean {
    return this.#given.has(name);
  }
  /** The names that begin so. */
  names(prefix = ""): string[] {
    return [...this.#given.keys()].filter((name) => name.startsWith(prefix));
  }
  get(name: string): Arg {
    this.#unread.delete(name);
    return this.#given.get(name);
  }

  tensor(name: string): Value {
    const x = this.get(name);
    if (x instanceof Value) return x;
    throw new Skip(x === undefined ? `no case without ${name}` : `${name} is not a tensor`);
  }
  optional(name: string): Value | undefined {
    return this.has(name) ? this.tensor(name) : undefined;
  }
  /** A tensor or a number. */
  operand(name: string): Value | number {
    const x = this.get(name);
    return typeof x === "number" ? x : this.tensor(name);
  }
  list(name: string): Value[] {
    const x = this.get(name);
    if (Array.isArray(x) && x.every((v) => v instanceof Value)) return x as Value[];
    throw new Skip(`${name} is not a list of tensors`);
  }
  number(name: string, preset: number): number;
  number(name: string, preset?: number): number | undefined;
  number(name: string, preset?: number): number | undefined {
    const x = this.get(name);
    if (x === undefined) return preset;
    if (typeof x === "number") return x;
    if (x instanceof Value && x.size === 1) return numbers(x)[0];
    throw new Skip(`${name} is not a number`);
  }
  flag(name: string, preset = false): boolean {
    return (this.get(name) as boolean | undefined) ?? preset;
  }
  word(name: string, preset: string): string {
    return (this.get(name) as string | undefined) ?? preset;
  }
  /** A list of numbers; one number is a list of one. */
  numbers(name: string): number[] | undefined {
    const x = this.get(name);
    if (typeof x === "number") return [x];
    return x as number[] | undefined;
  }
  /** Dimensions as reductions take them: absent or empty means all. */
  dims(name = "dim"): number | number[] | undefined {
    const x = this.get(name) as number | number[] | undefined;
    return Array.isArray(x) && x.length === 0 ? undefined : x;
  }
}
