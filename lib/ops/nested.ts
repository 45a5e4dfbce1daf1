// Tensors from what JavaScript has: numbers, nested lists, typed arrays, lists of typed arrays.
import type { DType, TypedArray } from "../core/dtype.ts";
import { fail } from "../core/errors.ts";
import { checkShape, type Dims, maxRank, numel } from "../core/shape.ts";
import { emptyValue, type Value } from "../core/value.ts";

type Source = ArrayLike<number | bigint>;
export type NestedData = number | boolean | Source | readonly NestedData[];

/** The dtype of each typed array: exact for what fits, so 8 and 16 bits become i32, and 32 and 64 bits are checked. */
const tags: Record<string, DType> = {
  Float32Array: "f32",
  Float64Array: "f64",
  Int32Array: "i32",
  Uint8Array: "u8",
  Uint8ClampedArray: "u8",
  Int8Array: "i32",
  Int16Array: "i32",
  Uint16Array: "i32",
  Uint32Array: "i32",
  BigInt64Array: "i32",
  BigUint64Array: "i32",
};
const tagOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ?.get as () => string | undefined;

/** The dtype a typed array is read as, of any realm; undefined for anything else. */
function kindOf(x: unknown): DType | undefined {
  const tag = tagOf.call(x);
  return tag === undefined ? undefined : tags[tag];
}

function checkAttached(array: Source): void {
  if (array.length > 0) return;
  const { buffer } = array as Uint8Array;
  try {
    new Uint8Array(buffer);
  } catch {
    fail("ERR_NABLA_DETACHED", "tensor", "the array's buffer was detached: its memory was transferred away", {
      hint: "copy the array before its buffer is transferred to a worker",
    });
  }
}

const ranges: Partial<Record<DType, readonly [number, number]>> = { i32: [-(2 ** 31), 2 ** 31 - 1], u8: [0, 255] };

/** Copies numbers into the fresh y; those that its dtype cannot hold are refused. */
function fill(y: Value, from: Source, sameKind: boolean): void {
  const n = numel(y.shape);
  const to: TypedArray = y.storage.array.subarray(y.offset, y.offset + n);
  if (sameKind) {
    to.set(from as TypedArray);
    return;
  }
  const range = ranges[y.dtype];
  for (let i = 0; i < n; i++) {
    const x = Number(from[i]);
    if (range && !(x > range[0] - 1 && x < range[1] + 1))
      fail("ERR_NABLA_VALUE", "tensor", `element ${i} is ${x}, which ${y.dtype} cannot hold`, {
        expected: range,
        actual: x,
      });
    to[i] = y.dtype === "bool" ? Number(x !== 0) : x;
  }
}

/** A copy of a typed array, or of a flat list of numbers. */
export function fromArray(array: Source, shape: Dims = [array.length], dtype?: DType): Value {
  const kind = kindOf(array);
  if (kind) checkAttached(array);
  const dims = checkShape("tensor", shape);
  if (numel(dims) !== array.length) {
    fail("ERR_NABLA_SHAPE", "tensor", `${array.length} elements do not fit the shape [${dims.join(", ")}]`, {
      expected: numel(dims),
      actual: array.length,
    });
  }
  const y = emptyValue(dims, dtype ?? kind ?? "f32");
  fill(y, array, kind === y.dtype && tagOf.call(array) === tagOf.call(y.storage.array));
  return y;
}

/** The sizes down the first row of each level; one level too many is left for checkShape to refuse. */
function shapeOf(data: unknown): number[] {
  const shape: number[] = [];
  let level = data;
  while (Array.isArray(level) && shape.length <= maxRank) {
    shape.push(level.length);
    if (level.length === 0) return shape;
    level = level[0];
  }
  if (kindOf(level)) shape.push((level as Source).length);
  return shape;
}

const place = (path: readonly number[]) => (path.length ? `element [${path.join("][")}]` : "the data");

function refuse(x: unknown, path: readonly number[], hole: boolean): never {
  const [what, hint] =
    typeof x === "bigint"
      ? [`the BigInt ${x}n, not a number`, "convert it: Number(x)"]
      : typeof x === "string"
        ? [`the string ${JSON.stringify(x)}, not a number`, "convert it: Number(x)"]
        : Array.isArray(x) || kindOf(x)
          ? ["a list, its neighbours are numbers", "every row needs the same depth"]
          : [
              hole ? "a hole" : x instanceof Object ? "an object, not a number" : `${String(x)}, not a number`,
              undefined,
            ];
  return fail("ERR_NABLA_TYPE", "tensor", `${place(path)} is ${what}`, { actual: x, ...(hint ? { hint } : {}) });
}

function refuseRow(row: unknown, expected: number, path: readonly number[]): never {
  const length = Array.isArray(row) || kindOf(row) ? (row as Source).length : undefined;
  const has = length === undefined ? "is not a list" : `has ${length} element${length === 1 ? "" : "s"}`;
  return fail("ERR_NABLA_SHAPE", "tensor", `ragged data: row [${path.join("][")}] ${has}, the first has ${expected}`, {
    expected,
    actual: row,
  });
}

/** What the leaves turned out to be: all booleans, or rows of one kind of typed array; f32 for numbers. */
interface Leaves {
  readonly flat: number[];
  readonly kinds: Set<DType>;
}

function collect(data: unknown, shape: Dims, path: number[], leaves: Leaves): void {
  const rows = data as readonly unknown[];
  for (let i = 0; i < shape[path.length]; i++) {
    const x = rows[i];
    path.push(i);
    if (path.length < shape.length) row(x, shape, path, leaves);
    else if (typeof x === "number") leaves.kinds.add("f32");
    else if (typeof x === "boolean") leaves.kinds.add("bool");
    else refuse(x, path, x === undefined && !(i in rows));
    if (path.length === shape.length) leaves.flat.push(Number(x));
    path.pop();
  }
}

function row(x: unknown, shape: Dims, path: number[], leaves: Leaves): void {
  const expected = shape[path.length];
  const kind = kindOf(x);
  if (!(Array.isArray(x) || kind) || (x as Source).length !== expected) refuseRow(x, expected, path);
  if (kind) numbers(x as Source, expected, path, shape, leaves, kind);
  else collect(x, shape, path, leaves);
}

/** A row that is a typed array: allowed where numbers are. */
function numbers(x: Source, n: number, path: readonly number[], shape: Dims, leaves: Leaves, kind: DType): void {
  if (path.length !== shape.length - 1) refuseRow(0, shape[path.length + 1], [...path, 0]);
  checkAttached(x);
  leaves.kinds.add(kind);
  for (let i = 0; i < n; i++) leaves.flat.push(Number(x[i]));
}

/** From nested lists: f32, or bool where every element is true or false, or what the typed arrays among them are. */
export function fromNested(data: NestedData, dtype?: DType): Value {
  if (kindOf(data)) return fromArray(data as Source, undefined, dtype);
  if (!Array.isArray(data) && typeof data !== "number" && typeof data !== "boolean") return refuse(data, [], false);
  const shape = checkShape("tensor", shapeOf(data));
  const leaves: Leaves = { flat: [], kinds: new Set() };
  if (shape.length) collect(data, shape, [], leaves);
  else collect([data], [1], [], leaves);
  const [kind] = leaves.kinds;
  return fromArray(leaves.flat, shape, dtype ?? (leaves.kinds.size === 1 ? kind : "f32"));
}
