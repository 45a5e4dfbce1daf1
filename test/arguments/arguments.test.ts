// Everything that index.ts exports, called with what the types would refuse, in every place, option and entry: what is thrown is a
// NablaError, nothing crashes and nothing hangs. Right calls of all of them are in modules.ts and functions.ts.
import { rmSync } from "node:fs";
import { join } from "node:path";
import * as nabla from "nabla";
import { init, Linear, NablaError, ones, schedule, tensor, transforms } from "nabla";
import { afterAll, describe, expect, it } from "vitest";
import { folder, functions } from "./functions.ts";
import { modules } from "./modules.ts";

const threads = nabla.threads();
afterAll(() => {
  nabla.setThreads(threads);
  rmSync(folder, { recursive: true });
});

const wrong: Readonly<Record<string, unknown>> = {
  undefined: undefined,
  null: null,
  true: true,
  "-1": -1,
  "1.5": 1.5,
  "2n": 2n,
  "a symbol": Symbol("s"),
  NaN: Number.NaN,
  "2^53": 2 ** 53,
  "a text": join(folder, "text"),
  "{}": {},
  "[]": [],
  "rows of two lengths": [[1, 2], [3]],
  "[null]": [null],
  "a function": () => undefined,
  "a typed array": new Float32Array(2),
  "a tensor": ones(2, 3),
  "a tensor of integers": tensor([1, 2], { dtype: "i32" }),
  "a model": new Linear(2, 2),
};
const isOptions = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" && x !== null && Object.getPrototypeOf(x) === Object.prototype;

interface Wrong {
  readonly told: string;
  readonly args: readonly unknown[];
  /** Nothing else than a refusal will do. */
  readonly strict?: true;
}
/** A right call with one wrong argument, option or entry of a list, and with an option that there is not. */
function* spoiled(right: readonly unknown[]): Generator<Wrong> {
  for (const [i, a] of right.entries()) {
    if (isOptions(a)) yield { told: "colour", args: right.with(i, { ...a, colour: 1 }), strict: true };
    for (const [told, x] of Object.entries(wrong)) {
      yield { told: `argument ${i}: ${told}`, args: right.with(i, x) };
      if (isOptions(a))
        for (const key of Object.keys(a)) yield { told: `${key}: ${told}`, args: right.with(i, { ...a, [key]: x }) };
      if (Array.isArray(a))
        for (const k of a.keys())
          yield { told: `entry ${k} of argument ${i}: ${told}`, args: right.with(i, a.with(k, x)) };
    }
  }
}

/** Awaits, and takes a little of what comes one by one. */
async function drain(given: unknown): Promise<void> {
  const y = await given;
  if (typeof y !== "object" || y === null || Array.isArray(y) || ArrayBuffer.isView(y) || y instanceof Map) return;
  if (!(Symbol.asyncIterator in y || Symbol.iterator in y)) return;
  let left = 3;
  for await (const _ of y as AsyncIterable<unknown>) if (--left === 0) break;
}
/** What is wrong with how a call ended; undefined where it was accepted or refused as it should be. */
async function complaint(f: () => unknown, strict = false): Promise<string | undefined> {
  try {
    await drain(f());
    if (strict) return "accepted";
  } catch (e) {
    // What the system says of files it says itself: ENOENT.
    if ((e as NodeJS.ErrnoException).syscall !== undefined) return undefined;
    if (!(e instanceof NablaError))
      return String((e as Error).stack)
        .split("\n", 2)
        .join("");
    const whole = e.code.startsWith("ERR_NABLA_") && e.op !== "" && e.message.startsWith(`${e.op}: `);
    if (!whole || !("expected" in e && "actual" in e && "hint" in e)) return `${e.code} of ${e.op}: ${e.message}`;
  }
  return undefined;
}
async function refusals(call: (args: readonly unknown[]) => unknown, right: () => readonly unknown[]) {
  const found: string[] = [];
  const { length } = [...spoiled(right())];
  for (let i = 0; i < length; i++) {
    const { told, args, strict } = [...spoiled(right())][i] as Wrong;
    const bad = await complaint(() => call(args), strict);
    if (bad) found.push(`${told}: ${bad}`);
  }
  return found;
}

type Loose = (...args: unknown[]) => unknown;
type Class = new (...args: unknown[]) => { forward: Loose };
const exported = Object.entries(nabla) as unknown as [string, Loose & Class][];
const isModule = (x: unknown): boolean => typeof x === "function" && x.prototype instanceof nabla.Module;
/** Classes that are not to be made by users, or whose makers are here; and what is no function. */
const others = ["Module", "Optimizer", "NablaError", "Fit", "ImageFolder", "Safetensors", "Tensor", "TokenFile"];

it("every export is called", () => {
  const called = [...Object.keys(modules), ...Object.keys(functions), ...others];
  const outer = new Set(called.map((name) => name.split(".")[0]));
  expect([...outer].sort()).toEqual(exported.map(([name]) => name).sort());
  for (const [family, members] of Object.entries({ init, transforms, schedule }))
    for (const name of Object.keys(members)) expect(Object.keys(functions)).toContain(`${family}.${name}`);
});

describe("modules", () => {
  it.each(exported.filter(([, x]) => isModule(x)))("%s", async (name, Layer) => {
    const [make, forward] = modules[name]!;
    const layer = new Layer(...make);
    layer.forward(...forward);
    expect(
      await refusals(
        (args) => new Layer(...args),
        () => make,
      ),
    ).toEqual([]);
    expect(
      await refusals(
        (args) => layer.forward(...args),
        () => forward,
      ),
    ).toEqual([]);
  });
});

describe("functions", () => {
  it.each(Object.entries(functions))("%s", async (name, right) => {
    const [outer, inner] = name.split(".") as [string, string | undefined];
    const library = nabla as unknown as Record<string, Loose & Record<string, Loose>>;
    const f = library[outer]!;
    const isClass = typeof f === "function" && String(f).startsWith("class");
    const call = (args: readonly unknown[]) =>
      inner ? f[inner]!(...args) : isClass ? new (f as unknown as Class)(...args) : f(...args);
    expect(await complaint(() => call(right()))).toBeUndefined();
    expect(await refusals(call, right)).toEqual([]);
  });
});

it("transforms refuse what is no picture", async () => {
  for (const f of [transforms.randomHorizontalFlip(), transforms.randomCrop([2, 2]), transforms.normalize([0], [1])])
    for (const [told, x] of Object.entries(wrong))
      await expect(async () => (f as Loose)(x), told).rejects.toBeInstanceOf(NablaError);
});

describe("methods", () => {
  const names = Object.getOwnPropertyNames(nabla.Tensor.prototype).filter((name) => name !== "constructor");
  it.each(names)("%s", async (name) => {
    const found: string[] = [];
    for (const [told, a] of Object.entries(wrong))
      for (const args of [[a], [1, a], [0, ones(2, 3), a]]) {
        const x = ones(2, 3) as unknown as Record<string, Loose>;
        const bad = await complaint(() => x[name]!(...args));
        if (bad) found.push(`${told} as argument ${args.length - 1}: ${bad}`);
      }
    expect(found).toEqual([]);
  });
});
