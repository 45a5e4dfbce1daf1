// Where calls come in. Types refuse wrong arguments; who has none gets the same refusal at run time, from one place.
import { fail, inOwnLines, show, showShape } from "./errors.ts";
import { Value } from "./value.ts";

const told = (x: unknown): string => (x instanceof Value ? `a tensor ${showShape(x.shape)}` : show(x));

/** A TypeError or RangeError of nabla's own lines means that an argument was not what it had to be: says so of the call. */
export function refuse(error: unknown, op: string, args: readonly unknown[]): never {
  if (!((error instanceof TypeError || error instanceof RangeError) && inOwnLines(error))) throw error;
  return fail("ERR_NABLA_TYPE", op, `does not take (${args.map(told).join(", ")})`, {
    expected: "what its signature says",
    actual: args,
    hint: "tensors come first, tensor(x) makes one of numbers; options come last, in an object",
    cause: error,
  });
}

/** f(), called for `op` with these arguments. Asked only after something went wrong, so that a right call pays nothing for it. */
export function enter<R>(op: string, args: readonly unknown[], f: () => R): R {
  try {
    const y = f();
    return y instanceof Promise ? (y.catch((error) => refuse(error, op, args)) as R) : y;
  } catch (error) {
    return refuse(error, op, args);
  }
}

/** f itself, with its arguments checked so; `this` is passed on. */
export function guarded<F extends (...args: never[]) => unknown>(op: string, f: F): F {
  return function (this: unknown, ...args: never[]) {
    return enter(op, args, () => f.apply(this, args));
  } as F;
}

/** A family of functions, each guarded under its own name. */
export function guards<T extends object>(family: T): T {
  const entries = Object.entries(family).map(([name, f]) => [name, typeof f === "function" ? guarded(name, f) : f]);
  return Object.fromEntries(entries) as T;
}

function odd(op: string, name: string, actual: unknown, expected: string): never {
  const list = Array.isArray(actual) || ArrayBuffer.isView(actual);
  const options = typeof actual === "object" && actual !== null && { hint: "options come after the tensors" };
  const hint = list ? { hint: "make a tensor of it: tensor([1, 2, 3])" } : options;
  return fail("ERR_NABLA_TYPE", op, `${name} is ${show(actual)}, not ${expected}`, { expected, actual, ...hint });
}
/** What a caller without types gave where a tensor belongs. */
export function value(op: string, name: string, x: unknown): Value {
  return x instanceof Value ? x : odd(op, name, x, "a tensor");
}
/** The same where a number may stand for a tensor. */
export function operand(op: string, x: unknown, name = "other"): Value | number {
  return typeof x === "number" || x instanceof Value ? x : odd(op, name, x, "a tensor or a number");
}

/** What an argument has to be, for those that JavaScript would only miss when it comes to use them. */
export function checkKind(
  op: string,
  name: string,
  x: unknown,
  kind: "function" | "string" | "number" | "object",
): void {
  if (kind === "object" ? typeof x === "object" && x !== null : typeof x === kind) return;
  fail("ERR_NABLA_TYPE", op, `${name} is ${told(x)}, no ${kind}`, { expected: `a ${kind}`, actual: x });
}
/** Something to iterate over: data, documents. */
export function checkIterable(op: string, name: string, x: unknown): void {
  if (typeof x === "object" && x !== null && (Symbol.iterator in x || Symbol.asyncIterator in x)) return;
  fail("ERR_NABLA_TYPE", op, `${name} is ${told(x)}, nothing to iterate over`, { expected: "an iterable", actual: x });
}

/** No argument is a BigInt or a symbol: arithmetic with them throws, and so do sentences about them. */
export function checkPlain(op: string, values: object): void {
  for (const [name, x] of Object.entries(values))
    if (typeof x === "bigint" || typeof x === "symbol")
      fail("ERR_NABLA_TYPE", op, `${name} is ${show(x)}`, { actual: x, hint: "Number(x) makes a number of a BigInt" });
}
/** The names of T, all of them: a list that lacks one does not type-check. */
type Names<T, K extends keyof T> = readonly K[] &
  ([Exclude<keyof T, K>] extends [never] ? unknown : { readonly lacks: Exclude<keyof T, K> });
/** The options of a call, once they are an object and all have one of these names: a misspelled one would be left out without a word. */
export function only<T extends object, const K extends keyof T>(op: string, options: T, names: Names<T, K>): T {
  checkKind(op, "what stands for options", options, "object");
  for (const name in options)
    if (!names.includes(name as never))
      fail("ERR_NABLA_VALUE", op, `there is no option ${name}`, {
        expected: names,
        actual: name,
        hint: `the options are ${names.join(", ")}`,
      });
  checkPlain(op, options);
  return options;
}
