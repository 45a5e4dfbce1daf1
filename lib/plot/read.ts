import { fail } from "../core/errors.ts";
import { Tensor } from "../tensor/tensor.ts";
import { clean } from "./words.ts";

/** Numbers of any kind: an array, a typed array, a tensor. */
export type Numbers = Tensor | ArrayLike<number>;

/** Names with what they name, as an object or, to keep an order or a name twice, as pairs. */
export type Named<T> = Readonly<Record<string, T>> | readonly (readonly [name: string, value: T])[];

/** At most so many numbers go into one chart. */
const most = 1e7;

/** The numbers in order, as f64. */
export function read(op: string, name: string, from: Numbers): Float64Array {
  const data: unknown = from instanceof Tensor ? from.dataSync() : from;
  const many = typeof data === "object" && data !== null && Number.isSafeInteger((data as { length?: unknown }).length);
  if (!many)
    fail("ERR_NABLA_TYPE", op, `${name} must be numbers in an array or a tensor, got ${clean(kind(from))}`, {
      actual: from,
    });
  const list = data as ArrayLike<unknown>;
  if (list.length > most)
    fail("ERR_NABLA_VALUE", op, `${name} has ${list.length} numbers, more than ${most}`, { actual: list.length });
  return Float64Array.from({ length: list.length }, (_, i) => {
    const value = list[i];
    if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return Number(value);
    return fail("ERR_NABLA_TYPE", op, `${name}[${i}] is not a number but ${clean(kind(value))}`, { actual: value });
  });
}
function kind(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? (value.constructor?.name ?? "an object") : `a ${typeof value}`;
}

/** The pairs of a list that has at least one. */
export function entries<T>(op: string, what: string, from: Named<T>): (readonly [string, T])[] {
  if (typeof from !== "object" || from === null)
    fail("ERR_NABLA_TYPE", op, `${what} must be an object or pairs, got ${clean(kind(from))}`, { actual: from });
  const pairs = Array.isArray(from) ? (from as (readonly [string, T])[]) : Object.entries(from as Record<string, T>);
  if (pairs.length === 0) fail("ERR_NABLA_VALUE", op, `there are no ${what}`, { actual: from });
  return pairs.map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2)
      fail("ERR_NABLA_TYPE", op, `${what} must be pairs [name, value], got ${clean(kind(pair))}`, { actual: pair });
    return [clean(pair[0]), pair[1] as T];
  });
}

/** A tensor, or numbers with a shape, such as what {@link digits} gives. */
export type Shaped = Tensor | { readonly shape: readonly number[]; readonly data: ArrayLike<number> };

export interface Grid {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}
/** Numbers with their shape, of one of the ranks asked for, none of whose sizes is 0. */
export function grid(op: string, name: string, from: Shaped, ranks: readonly number[]): Grid {
  const shape: unknown = (from as { shape?: unknown } | null)?.shape;
  if (!Array.isArray(shape))
    fail("ERR_NABLA_TYPE", op, `${name} must be a tensor or { shape, data }, got ${clean(kind(from))}`, {
      actual: from,
    });
  const sizes = shape as number[];
  if (!ranks.includes(sizes.length) || !sizes.every((size) => Number.isSafeInteger(size) && size > 0))
    fail(
      "ERR_NABLA_SHAPE",
      op,
      `${name} must have ${ranks.join(" or ")} sizes, none of them 0, got [${sizes.join(", ")}]`,
      {
        expected: ranks,
        actual: sizes,
      },
    );
  const data = read(op, name, from instanceof Tensor ? from : (from as { data: ArrayLike<number> }).data);
  const count = sizes.reduce((product, size) => product * size, 1);
  if (data.length !== count)
    fail("ERR_NABLA_SHAPE", op, `${name} of shape [${sizes.join(", ")}] needs ${count} numbers, got ${data.length}`, {
      expected: count,
      actual: data.length,
    });
  return { shape: sizes, data };
}
