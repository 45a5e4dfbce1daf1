import { fail, showShape } from "../core/errors.ts";
import { sameShape } from "../core/shape.ts";
import type { Value } from "../core/value.ts";

/** A tensor of a model and all its names: shared parameters have several, the first is the one it is saved under. */
export interface Slot {
  readonly names: readonly string[];
  readonly tensor: Value;
}
/** What stands in for it in a file or a dictionary. */
export interface Offer {
  readonly shape: readonly number[];
}

export interface LoadOptions {
  /** Refuse missing and unexpected names; true unless said. Shapes must fit in any case. */
  strict?: boolean;
  /** The name in this model for a name in the file; undefined leaves that tensor out. */
  rename?: (name: string) => string | undefined;
  /** Matrices (names of this model) that the file keeps transposed, as GPT-2 does: /c_(attn|fc|proj)\.weight$/. */
  transpose?: RegExp | ((name: string) => boolean);
}
/** What a load left out: names of the model that the file lacks, names of the file that the model lacks. */
export interface LoadReport {
  missing: string[];
  unexpected: string[];
}
/** A tensor of the model with the name to read it under. */
export interface Match {
  readonly slot: Slot;
  readonly key: string;
  readonly transposed: boolean;
}

/** The names of the dictionary by the names they have in the model. */
function renamed(op: string, keys: Iterable<string>, rename: LoadOptions["rename"]): Map<string, string> {
  const out = new Map<string, string>();
  for (const key of keys) {
    const name = rename ? rename(key) : key;
    if (name === undefined) continue;
    const other = out.get(name);
    if (other !== undefined)
      fail("ERR_NABLA_STATE", op, `rename gives ${JSON.stringify(name)} for both "${other}" and "${key}"`);
    out.set(name, key);
  }
  return out;
}

const swapped = (shape: readonly number[]): number[] => [...shape.slice(0, -2), ...shape.slice(-2).reverse()];

/** Finds for each slot what to read, or says in one error everything that does not fit. */
export function match(
  op: string,
  slots: readonly Slot[],
  offers: ReadonlyMap<string, Offer>,
  { strict = true, rename, transpose }: LoadOptions,
): { pairs: Match[]; report: LoadReport } {
  const keys = renamed(op, offers.keys(), rename);
  const turned = (name: string) =>
    (typeof transpose === "function" ? transpose(name) : transpose && name.search(transpose) >= 0) === true;
  const pairs: Match[] = [];
  const misshaped: string[] = [];
  const missing: Slot[] = [];
  const left = new Set(keys.keys());
  for (const slot of slots) {
    const name = slot.names.find((n) => keys.has(n));
    for (const n of slot.names) left.delete(n);
    if (name === undefined) {
      missing.push(slot);
      continue;
    }
    const key = keys.get(name) as string;
    const { shape } = offers.get(key) as Offer;
    const transposed = turned(name);
    const given = transposed ? swapped(shape) : shape;
    if (sameShape(given, slot.tensor.shape)) pairs.push({ slot, key, transposed });
    else misshaped.push(`${name} is ${showShape(slot.tensor.shape)}, given ${showShape(given)}${turn(slot, given)}`);
  }
  const report = { missing: missing.map((s) => s.names[0]), unexpected: [...left] };
  if (misshaped.length > 0 || (strict && (missing.length > 0 || left.size > 0)))
    complain(op, strict ? missing : [], strict ? report.unexpected : [], misshaped);
  return { pairs, report };
}

const turn = ({ tensor }: Slot, given: readonly number[]): string =>
  tensor.ndim >= 2 && sameShape(swapped(given), tensor.shape) ? " (transposed: see the option transpose)" : "";

function complain(op: string, missing: readonly Slot[], unexpected: string[], misshaped: string[]): never {
  const counts = [
    [missing.length, "missing"],
    [unexpected.length, "unexpected"],
    [misshaped.length, "of another shape"],
  ] as const;
  const sentence = counts.flatMap(([n, what]) => (n > 0 ? [`${n} ${what}`] : [])).join(", ");
  const near = nearest(
    missing.map((s) => s.names[0]),
    unexpected,
  );
  const rows = [
    ...missing.map(({ names: [name = ""], tensor }) => {
      const guess = near.get(name);
      return `missing     ${name} ${showShape(tensor.shape)}${guess === undefined ? "" : `: did you mean ${guess}?`}`;
    }),
    ...unexpected.map((name) => `unexpected  ${name}`),
    ...misshaped.map((text) => `shape       ${text}`),
  ];
  return fail("ERR_NABLA_STATE", op, [sentence, ...rows].join("\n    "), {
    actual: { missing: missing.map((s) => s.names[0]), unexpected, misshaped },
    hint: "rename maps the names of the file, { strict: false } loads what fits",
  });
}

/** For each name the most alike of the others, if no more than a third of its letters differ. */
function nearest(names: readonly string[], others: readonly string[]): Map<string, string> {
  const out = new Map<string, string>();
  if (names.length * others.length > 40_000) return out;
  for (const name of names) {
    let best = Math.floor(name.length / 3) + 1;
    for (const other of others) {
      const d = distance(name, other);
      if (d < best) {
        best = d;
        out.set(name, other);
      }
    }
  }
  return out;
}

/** Levenshtein's: letters to insert, remove or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
