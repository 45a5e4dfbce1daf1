// The rows of the kernel table as data: what each array and scalar of a call is.
import { type DType, type TypedArray, viewOf } from "../lib/core/dtype.ts";
import { native } from "../lib/core/native.ts";
import { random } from "./sample.ts";

export interface ArrayParam {
  readonly name: string;
  readonly reads: boolean;
  readonly writes: boolean;
  readonly form: "flat" | "rows" | "strided";
  readonly dtype: DType;
  /** One letter an axis. */
  readonly letters: string;
  readonly optional: boolean;
}
export interface ScalarParam {
  readonly name: string;
  readonly type: string;
}
export interface Row {
  readonly id: number;
  readonly name: string;
  readonly dtype: DType;
  readonly driver: string;
  readonly arrays: readonly ArrayParam[];
  readonly scalars: readonly ScalarParam[];
}

const elementType = (type: string, own: DType): DType =>
  type === "T" ? own : type === "b8" ? "bool" : (type as DType);
/** "(Out<T> y, Strided<In<T>, 3> x, f64 p)" at the commas outside <>. */
const split = (params: string): string[] => params.slice(1, -1).split(/,\s*(?![^<]*>)/);

function parse(row: (typeof native.rows)[number], id: number): Row {
  const words = row.shapes.split(" ");
  const arrays: ArrayParam[] = [];
  const scalars: ScalarParam[] = [];
  for (const text of split(row.params)) {
    const at = text.lastIndexOf(" ");
    const [type, name] = [text.slice(0, at), text.slice(at + 1)];
    const found = /\b(InOut|In|Out)<(\w+)>/.exec(type);
    if (!found) {
      scalars.push({ name, type: type === "T" ? row.dtype : type });
      continue;
    }
    const word = words[arrays.length]!;
    arrays.push({
      name,
      reads: found[1] !== "Out",
      writes: found[1] !== "In",
      form: type.startsWith("Rows") ? "rows" : type.startsWith("Strided") ? "strided" : "flat",
      dtype: elementType(found[2]!, row.dtype as DType),
      letters: word.replace("?", ""),
      optional: word.endsWith("?"),
    });
  }
  return { id, name: row.name, dtype: row.dtype as DType, driver: row.driver, arrays, scalars };
}
export const rows: readonly Row[] = native.rows.map(parse);

/** A whole array by its bytes. */
export const bytes = (x: TypedArray): Buffer => Buffer.from(x.buffer, x.byteOffset, x.byteLength);

/** Equal bit for bit, where every NaN is the same NaN; says where not. */
export function difference(got: TypedArray, expected: TypedArray): string | undefined {
  if (bytes(got).equals(bytes(expected))) return undefined;
  const at = expected.findIndex((e, i) => !Object.is(e, got[i]));
  return at < 0 ? undefined : `element ${at} of ${expected.length}: ${got[at]}, expected ${expected[at]}`;
}

export const fresh = (dtype: DType, n: number): TypedArray => viewOf(dtype, new ArrayBuffer(8 * n), 0, n);
export const clone = (x: TypedArray): TypedArray => x.slice();

const odd = [0, -0, 1, -1, 0.5, 1e-40, -1e-40, 1e-45, 1e30, -1e30, 3.4e38, -3.4e38, 88.5, -103.9, 1e-20, 65504.5];
const special = [...odd, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const whole = [0, 1, -1, 2, 2147483647, -2147483648, 65536, -7];

/** Numbers of every kind: ordinary, over all exponents, and the special ones. */
export function wild(dtype: DType, n: number, seed: number): TypedArray {
  const next = random(seed);
  const pick = (list: readonly number[]) => list[Math.floor(next() * list.length)]!;
  const out = fresh(dtype, n);
  for (let i = 0; i < n; i++) {
    const kind = next();
    const ordinary = (next() - 0.5) * 8;
    if (dtype === "bool") out[i] = kind < 0.5 ? 0 : 1;
    else if (dtype === "u8") out[i] = next() * 256;
    else if (dtype === "i8") out[i] = next() * 256 - 128;
    else if (dtype === "bf16") out[i] = next() * 65536;
    else if (dtype === "i32") out[i] = kind < 0.3 ? pick(whole) : (next() - 0.5) * (kind < 0.6 ? 20 : 2 ** 32);
    else if (kind < 0.5) out[i] = ordinary;
    else out[i] = kind < 0.8 ? ordinary * 2 ** Math.floor((next() - 0.5) * 80) : pick(special);
  }
  return out;
}

export const canaries = 16;
/** 7 is no result of anything that is tested, and no truth value. */
export const canary = (dtype: DType): number => (dtype === "f32" || dtype === "f64" ? Number.NaN : 7);

export function write(words: readonly number[]): number {
  native.words.set(words);
  return words.length;
}
export const scalarsOf = (row: Row): number[] =>
  row.scalars.map(({ type }, i) => (type === "f32" || type === "f64" ? 0.25 + 0.5 * i : 1 + i));

/** Letters whose extent a kernel fixes: hyper-parameters, the state of the random numbers, one result. */
const fixed: Readonly<Record<string, number>> = { h: 12, s: 4, z: 1 };
const every = (row: Row): string[] => [...new Set(row.arrays.flatMap((p) => [...p.letters]))];
/** The letters of a row whose extents may be anything. */
export const lettersOf = (row: Row): string[] => every(row).filter((l) => !(l in fixed));

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const contiguous = (shape: readonly number[]): number[] => shape.map((_, i) => product(shape.slice(i + 1)));

export interface Call {
  readonly words: readonly number[];
  readonly arrays: readonly (TypedArray | null)[];
}
/** A Rows or Call row on contiguous arrays with canaries behind them; indices lie in the smallest extent there is. */
export function makeCall(row: Row, extents: ReadonlyMap<string, number>, seed: number): Call {
  const next = random(seed);
  const size = (letter: string) => fixed[letter] ?? extents.get(letter)!;
  const least = Math.max(1, Math.min(...extents.values(), 2 ** 20));
  const words = every(row).map(size);
  const arrays = row.arrays.map((p, i) => {
    if (p.optional && next() < 0.4) return null;
    const shape = [...p.letters].map(size);
    const n = product(shape);
    words.push(0, ...(p.form === "strided" ? contiguous(shape) : []));
    if (!p.reads) return fresh(p.dtype, n + canaries).fill(canary(p.dtype));
    const x = wild(p.dtype, n + canaries, seed + i);
    if (p.dtype === "i32" && row.dtype !== "i32") for (let k = 0; k < n; k++) x[k] = Math.floor(next() * least);
    if (p.letters === "h") for (let k = 0; k < n; k++) x[k] = next();
    return x;
  });
  return { words: [...words, ...scalarsOf(row)], arrays };
}

/** What a call leaves in its outputs, or the code of the complaint. Throws where a canary is gone. */
export function outcome(row: Row, call: Call): (TypedArray | null)[] | string {
  const arrays = call.arrays.map((x, i) => (x && row.arrays[i]!.writes ? clone(x) : x));
  try {
    native.run(row.id, write(call.words), ...arrays);
  } catch (error) {
    return (error as { code: string }).code;
  }
  arrays.forEach((x, i) => {
    const before = call.arrays[i];
    if (!x || !before) return;
    const miss = difference(x.subarray(-canaries), before.subarray(-canaries));
    if (miss) throw new Error(`${row.arrays[i]!.name} was written behind its end`);
  });
  return arrays;
}
/** Where two outcomes differ. */
export function differs(got: ReturnType<typeof outcome>, expected: ReturnType<typeof outcome>): string | undefined {
  if (typeof got === "string" || typeof expected === "string") {
    return got === expected ? undefined : `${String(got)}, expected ${String(expected)}`;
  }
  const misses = got.map((x, i) => (x ? difference(x, expected[i]!) : undefined));
  return misses.find((miss) => miss !== undefined);
}
