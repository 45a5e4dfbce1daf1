import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { wrapArray } from "../core/value.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Cell, type Column, Table } from "./table.ts";

/** A column of numbers becomes (x - mean) / deviation, and, if it had gaps, 1 or 0 for a gap. A gap counts as the mean. */
interface Scale {
  readonly name: string;
  readonly kind: "number";
  readonly mean: number;
  readonly deviation: number;
  readonly gaps: boolean;
}
/** A column of texts becomes one number a category, 1 for its own; what is not among them has none. A gap is a category if there were any. */
interface Categories {
  readonly name: string;
  readonly kind: "text";
  readonly categories: readonly Cell[];
}
type Rule = Scale | Categories;

/** What an {@link Encoder} is as JSON. */
export interface EncoderState {
  readonly inputs: readonly Rule[];
  readonly target: Rule;
}
/** Options of {@link Encoder.fit}. */
export interface FitEncoderOptions {
  /** The column to predict: classes if it is of texts, else a number. */
  target: string;
  /** Takes the numbers of the target as classes. */
  classes?: boolean;
  /** Columns to leave out. */
  without?: readonly string[];
}

function scaleOf({ name, cells }: Column): Scale {
  const known = cells.filter((x) => x !== null) as number[];
  if (known.length === 0)
    fail("ERR_NABLA_VALUE", "Encoder.fit", `column ${name} has nothing but gaps`, {
      hint: "leave it out: { without: [...] }",
    });
  const mean = known.reduce((s, x) => s + x, 0) / known.length;
  const variance = known.reduce((s, x) => s + (x - mean) ** 2, 0) / known.length;
  return { name, kind: "number", mean, deviation: Math.sqrt(variance) || 1, gaps: known.length < cells.length };
}
const categoriesOf = ({ name, cells }: Column): Categories => ({
  name,
  kind: "text",
  categories: [...new Set(cells)].sort((a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a ?? "\uffff") < String(b ?? "\uffff") ? -1 : 1,
  ),
});
const ruleOf = (column: Column): Rule => (column.kind === "number" ? scaleOf(column) : categoriesOf(column));

/** How many numbers a rule makes of a cell. */
const widthOf = (rule: Rule): number => (rule.kind === "text" ? rule.categories.length : rule.gaps ? 2 : 1);

function write(rule: Rule, cell: Cell, to: Float32Array, at: number, place: () => string): void {
  if (rule.kind === "text") {
    const i = rule.categories.indexOf(cell);
    if (i >= 0) to[at + i] = 1;
    return;
  }
  if (typeof cell === "string")
    fail("ERR_NABLA_VALUE", "encode", `${place()}, column ${rule.name}: ${JSON.stringify(cell)} is no number`, {
      expected: "a number, as in the table that was fitted",
      actual: cell,
    });
  to[at] = cell === null ? 0 : (cell - rule.mean) / rule.deviation;
  if (rule.gaps) to[at + 1] = cell === null ? 1 : 0;
}

/**
 * Makes tensors of tables: numbers are brought to mean 0 and deviation 1, texts become one column a category, gaps are
 * told. What it needs for that it takes from the table it is fitted on, the training part, and it goes to a file with the
 * model: JSON.stringify(encoder) and {@link Encoder.from}.
 *
 * scikit-learn: `ColumnTransformer` of `StandardScaler`, `OneHotEncoder` and `SimpleImputer`.
 * @example
 * ```ts
 * import { Encoder, Table } from "nabla";
 * const train = new Table(["size", "color", "kind"], [[1, "red", "a"], [3, "blue", "b"]]);
 * const encoder = Encoder.fit(train, { target: "kind" });
 * const { x, y } = encoder.encode(train);
 * console.log(encoder.features.join(" "), encoder.classes); // size color=blue color=red [ 'a', 'b' ]
 * console.log(x.toArray(), y.toArray()); // [ [ -1, 0, 1 ], [ 1, 1, 0 ] ] [ 0, 1 ]
 * const again = Encoder.from(JSON.parse(JSON.stringify(encoder)));
 * console.log(again.features.length); // 3
 * ```
 */
export class Encoder {
  readonly #inputs: readonly Rule[];
  readonly #target: Rule;

  private constructor({ inputs, target }: EncoderState) {
    this.#inputs = inputs;
    this.#target = target;
  }

  /** Learns scales and categories of every column but the target and those left out. */
  static fit(table: Table, options: FitEncoderOptions): Encoder {
    if (!(table instanceof Table)) fail("ERR_NABLA_TYPE", "Encoder.fit", "takes a Table", { actual: table });
    const { target, classes, without = [] } = only("Encoder.fit", options, ["target", "classes", "without"]);
    if (!Array.isArray(without))
      fail("ERR_NABLA_TYPE", "Encoder.fit", "without is a list of names", { actual: without });
    if (table.length === 0) fail("ERR_NABLA_VALUE", "Encoder.fit", "there are no rows to learn from");
    for (const name of without) table.column(name);
    const column = table.column(target);
    checkKnown(table, column);
    const inputs = table.columns.filter(({ name }) => name !== target && !without.includes(name)).map(ruleOf);
    if (inputs.length === 0) fail("ERR_NABLA_VALUE", "Encoder.fit", "there is no column to predict from");
    return new Encoder({ inputs, target: classes ? categoriesOf(column) : ruleOf(column) });
  }
  /** An encoder from what JSON.stringify made of one. Throws ERR_NABLA_FILE for anything else. */
  static from(state: unknown): Encoder {
    const { inputs, target } = (state ?? {}) as Partial<EncoderState>;
    if (!Array.isArray(inputs) || !inputs.every(isRule) || !isRule(target))
      fail("ERR_NABLA_FILE", "Encoder.from", "this is not what an encoder was saved as", {
        expected: "{ inputs, target }",
        actual: state,
      });
    return new Encoder({ inputs: inputs as Rule[], target: target as Rule });
  }
  toJSON(): EncoderState {
    return { inputs: this.#inputs, target: this.#target };
  }

  /** The names of the columns of x. */
  get features(): string[] {
    return this.#inputs.flatMap((rule) =>
      rule.kind === "text"
        ? rule.categories.map((c) => `${rule.name}=${c ?? "?"}`)
        : [rule.name, ...(rule.gaps ? [`${rule.name}=?`] : [])],
    );
  }
  /** The classes, in the order of their numbers; null where the target is a number. */
  get classes(): Cell[] | null {
    return this.#target.kind === "text" ? [...this.#target.categories] : null;
  }

  /**
   * x f32 [rows, features], and y: classes as i32 [rows], or f32 [rows, 1] of mean 0 and deviation 1 in the fitted table. Throws
   * ERR_NABLA_VALUE, naming the row, for a target that is a gap or a class that was not there.
   */
  encode(table: Table): { x: Tensor<[number, number], "f32">; y: Tensor } {
    const column = table.column(this.#target.name);
    checkKnown(table, column);
    return { x: this.inputs(table), y: this.#targets(table, column) as Tensor };
  }
  /** x alone, of a table that may have no target. */
  inputs(table: Table): Tensor<[number, number], "f32"> {
    const width = this.features.length;
    const to = new Float32Array(table.length * width);
    let at = 0;
    for (const rule of this.#inputs) {
      const { cells } = table.column(rule.name);
      for (let r = 0; r < table.length; r++) write(rule, cells[r] as Cell, to, r * width + at, () => table.place(r));
      at += widthOf(rule);
    }
    return wrapArray(to, [table.length, width], "f32") as Tensor<[number, number], "f32">;
  }
  #targets(table: Table, { cells, name }: Column) {
    const rule = this.#target;
    if (rule.kind === "number") {
      const y = Float32Array.from(cells, (cell) => ((cell as number) - rule.mean) / rule.deviation);
      return wrapArray(y, [table.length, 1], "f32");
    }
    const y = Int32Array.from(cells, (cell) => rule.categories.indexOf(cell));
    const unknown = y.indexOf(-1);
    if (unknown >= 0)
      fail(
        "ERR_NABLA_VALUE",
        "encode",
        `${table.place(unknown)}, column ${name}: the class ${String(cells[unknown])} was not there`,
        {
          expected: rule.categories,
          actual: cells[unknown],
          hint: "stratify the split, so that the training part has every class",
        },
      );
    return wrapArray(y, [table.length], "i32");
  }
  /** Targets in words: classes for their numbers, numbers in their own unit for scaled ones. */
  decode(y: ArrayLike<number>): Cell[] {
    const rule = this.#target;
    return Array.from(y, (v) => (rule.kind === "text" ? (rule.categories[v] ?? null) : v * rule.deviation + rule.mean));
  }
}

function checkKnown(table: Table, { name, cells }: Column): void {
  const gap = cells.indexOf(null);
  if (gap >= 0)
    fail("ERR_NABLA_VALUE", "Encoder", `${table.place(gap)}, column ${name}: the target is missing`, {
      hint: `leave such rows out: table.filter((row) => row.${name} !== null)`,
    });
}
function isRule(x: unknown): x is Rule {
  const rule = (x ?? {}) as Partial<Record<string, unknown>>;
  if (typeof rule.name !== "string") return false;
  if (rule.kind === "text") return Array.isArray(rule.categories);
  return rule.kind === "number" && Number.isFinite(rule.mean) && Number(rule.deviation) > 0;
}
