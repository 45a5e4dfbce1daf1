import { fileURLToPath } from "node:url";

/** What went wrong, as a word programs can branch on: `error.code === "ERR_NABLA_SHAPE"`. */
export type ErrorCode =
  | "ERR_NABLA_SHAPE"
  | "ERR_NABLA_DTYPE"
  | "ERR_NABLA_VALUE"
  | "ERR_NABLA_TYPE"
  | "ERR_NABLA_INDEX"
  | "ERR_NABLA_GRAD"
  | "ERR_NABLA_STATE"
  | "ERR_NABLA_DISPOSED"
  | "ERR_NABLA_DETACHED"
  | "ERR_NABLA_OVERLAP"
  | "ERR_NABLA_MEMORY"
  | "ERR_NABLA_FILE"
  | "ERR_NABLA_COMPILE"
  | "ERR_NABLA_ABORTED"
  | "ERR_NABLA_NATIVE"
  | "ERR_NABLA_INTERNAL";

/** What an error can show of a tensor. */
export interface Described {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly label?: string | undefined;
  readonly node?: { readonly name: string } | null;
}

export interface Details {
  /** The operands by name; their shapes and where they come from are printed below the sentence. */
  values?: Readonly<Record<string, Described | number | null | undefined>>;
  expected?: unknown;
  actual?: unknown;
  hint?: string;
  cause?: unknown;
}

/**
 * The one error nabla throws on purpose.
 *
 * ```
 * ShapeError [ERR_NABLA_SHAPE]: matmul: inner sizes 784 and 256 differ
 *     a  [32, 784]   output of relu
 *     b  [256, 10]   fc2.weight
 *   hint: the layer before must give 256 features
 * ```
 */
export class NablaError extends Error {
  readonly code: ErrorCode;
  readonly op: string;
  readonly expected: unknown;
  readonly actual: unknown;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, op: string, message: string, details: Details = {}) {
    super(layout(op, message, details), details.cause === undefined ? undefined : { cause: details.cause });
    const kind = code.slice("ERR_NABLA_".length).toLowerCase();
    this.name = `${kind[0]?.toUpperCase()}${kind.slice(1)}Error [${code}]`;
    this.code = code;
    this.op = op;
    this.expected = details.expected;
    this.actual = details.actual;
    this.hint = details.hint;
    blameCaller(this);
  }
}

// Of the build, source maps name the lines of lib/, two floors up and beside it.
const homes = [new URL("..", import.meta.url), new URL("../../lib/", import.meta.url)];
const inside = [...homes.flatMap((home) => [home.href, fileURLToPath(home)]), "(<anonymous>)"];
/** The frames of a stack from the first that is neither nabla's own nor built in. */
function userFrames(stack: string | undefined, head: number): string[] {
  const frames = (stack ?? "").slice(head).split("\n").slice(1);
  const first = frames.findIndex((line) => !inside.some((place) => line.includes(place)));
  return frames.slice(Math.max(first, 0));
}
/** Whether an error was thrown by a line of nabla itself, or by what is built in when such a line called it. */
export function inOwnLines(error: Error): boolean {
  const line = error.stack?.split("\n").find((l) => l.startsWith("    at ") && !l.includes("(<anonymous>)"));
  return line !== undefined && inside.some((place) => line.includes(place));
}
/** Runs f with deeper stacks: library calls may lie above the user's. */
function deep<R>(f: (limit: number) => R): R {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = limit + 20;
  try {
    return f(limit);
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** Lets the stack begin at the first line that is neither nabla's own nor built in. */
function blameCaller(error: Error): void {
  deep((limit) => {
    Error.captureStackTrace(error);
    const head = `${error.name}: ${error.message}`;
    error.stack = [head, ...userFrames(error.stack, head.length).slice(0, limit)].join("\n");
  });
}

/** Remembers who called; the line is found when asked for: "step (file:///home/train.ts:20:13)". */
export function callSite(): () => string {
  const trace = deep(() => new Error());
  return () => userFrames(trace.stack, 0)[0]?.trim().replace(/^at /, "") ?? "unknown line";
}

/** A value of any kind in a few words, for a sentence. Never calls the value's own code. */
export function show(x: unknown): string {
  if (x === null || x === undefined || typeof x === "boolean" || typeof x === "number") return String(x);
  if (typeof x === "string") return `the string ${JSON.stringify(x.length > 20 ? `${x.slice(0, 20)}...` : x)}`;
  if (typeof x === "bigint") return `the BigInt ${x}n`;
  if (Array.isArray(x)) return "a list";
  if (ArrayBuffer.isView(x)) return "an array of bytes or numbers";
  return typeof x === "object" ? "an object" : `a ${typeof x}`;
}

export function showShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

function origin(v: Described): string {
  if (v.label) return v.label;
  return v.node ? `output of ${v.node.name}` : "";
}

function layout(op: string, message: string, { values, hint }: Details): string {
  const rows = Object.entries(values ?? {}).flatMap(([name, v]) => {
    if (v === null || v === undefined) return [];
    if (typeof v === "number") return [{ name, shape: String(v), from: "number" }];
    if (!Array.isArray(v.shape)) return [{ name, shape: "no tensor", from: typeof v }];
    return [{ name, shape: `${showShape(v.shape)}${v.dtype === "f32" ? "" : ` ${v.dtype}`}`, from: origin(v) }];
  });
  const wide = (pick: (r: (typeof rows)[number]) => string) => Math.max(0, ...rows.map((r) => pick(r).length));
  const names = wide((r) => r.name);
  const shapes = wide((r) => r.shape);
  const table = rows.map((r) => `\n    ${r.name.padEnd(names)}  ${r.shape.padEnd(shapes)}   ${r.from}`.trimEnd());
  return `${op}: ${message}${table.join("")}${hint ? `\n  hint: ${hint}` : ""}`;
}

/** Throws a NablaError whose stack begins at the user's call. */
export function fail(kind: ErrorCode, op: string, message: string, details?: Details): never {
  throw new NablaError(kind, op, message, details);
}

/** x, which must be a whole number from `low`. */
export function checkCount(op: string, name: string, x: unknown, low: number): number {
  if (Number.isSafeInteger(x) && (x as number) >= low) return x as number;
  return fail("ERR_NABLA_VALUE", op, `${name} must be a whole number from ${low}, got ${String(x)}`, {
    expected: `from ${low}`,
    actual: x,
  });
}
