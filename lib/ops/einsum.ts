// Sums over named dimensions.
import { fail } from "../core/errors.ts";
import { checkDim, type Dims, numel } from "../core/shape.ts";
import type { Value } from "../core/value.ts";
import { diagonal } from "./diagonal.ts";
import { matmul } from "./matmul.ts";
import { sum } from "./reduce.ts";
import { expand, permute, reshape, unsqueeze } from "./view.ts";

/** A tensor whose dims have names: one character each. */
interface Named {
  readonly x: Value;
  readonly dims: readonly string[];
}

const complain = (equation: string, why: string, values?: Record<string, Value>): never =>
  fail("ERR_NABLA_VALUE", "einsum", `"${equation}": ${why}`, { actual: equation, ...(values ? { values } : {}) });

/** The dims of `...` are named 0, 1, ... from the last one, so that they broadcast. */
function spell(term: string, rank: number, equation: string): string[] {
  const [before = "", after, ...rest] = term.split("...");
  if (rest.length) complain(equation, "two ... in one term");
  const known = before.length + (after?.length ?? 0);
  if (after === undefined ? known !== rank : known > rank)
    complain(equation, `"${term}" names ${known} dims of a tensor that has ${rank}`);
  if (!/^[a-zA-Z]*$/.test(before + (after ?? ""))) complain(equation, `"${term}" has more than letters`);
  const dots = after === undefined ? [] : Array.from({ length: rank - known }, (_, i) => String(rank - known - 1 - i));
  return [...before, ...dots, ...(after ?? "")];
}

/** A name that stands twice in one term is the diagonal. */
function withoutRepeats({ x, dims }: Named): Named {
  const again = dims.findIndex((d, i) => dims.indexOf(d) !== i);
  if (again < 0) return { x, dims };
  const first = dims.indexOf(dims[again]);
  return withoutRepeats({
    x: diagonal(x, 0, first, again),
    dims: [...dims.filter((_, i) => i !== first && i !== again), dims[again]],
  });
}

function sumAway({ x, dims }: Named, keep: ReadonlySet<string>): Named {
  const gone = dims.flatMap((d, i) => (keep.has(d) ? [] : [i]));
  return gone.length ? { x: sum(x, gone), dims: dims.filter((d) => keep.has(d)) } : { x, dims };
}

/** Dims in this order; those that are missing, of size 1. */
function arrange({ x, dims }: Named, order: readonly string[]): Value {
  const there = order.filter((d) => dims.includes(d));
  let y = permute(
    x,
    there.map((d) => dims.indexOf(d)),
  );
  order.forEach((d, i) => {
    if (!dims.includes(d)) y = unsqueeze(y, i);
  });
  return y;
}

/** The product of two, summed over the dims that nobody needs afterwards: one batched matmul. */
function contract(a: Named, b: Named, keep: ReadonlySet<string>): Named {
  const needed = (other: Named) => new Set([...keep, ...other.dims]);
  const [left, right] = [sumAway(a, needed(b)), sumAway(b, needed(a))];
  const shared = left.dims.filter((d) => right.dims.includes(d));
  const [batch, inner] = [shared.filter((d) => keep.has(d)), shared.filter((d) => !keep.has(d))];
  const [rows, cols] = [left.dims, right.dims].map((dims) => dims.filter((d) => !shared.includes(d)));
  const size = (d: string) =>
    Math.max(...[left, right].map(({ x, dims }) => (dims.includes(d) ? x.shape[dims.indexOf(d)] : 1)));
  const sizes = (dims: readonly string[]) => dims.map((d) => (zero(d) ? 0 : size(d)));
  const zero = (d: string) => [left, right].some(({ x, dims }) => x.shape[dims.indexOf(d)] === 0);
  const matrix = (part: Named, order: readonly (readonly string[])[]) =>
    reshape(
      expand(arrange(part, order.flat()), order.flatMap(sizes)),
      order.map((dims) => numel(sizes(dims))),
    );
  const y = matmul(matrix(left, [batch, rows, inner]), matrix(right, [batch, inner, cols]));
  const dims = [...batch, ...rows, ...cols];
  return { x: reshape(y, sizes(dims)), dims };
}

/** Names that stand once, in order of the alphabet, after the dims of `...`: the result where no arrow tells. */
function implied(terms: readonly Named[]): string[] {
  const all = terms.flatMap(({ dims }) => dims);
  const dots = [...new Set(all.filter((d) => d < "A"))].sort().reverse();
  return [...dots, ...all.filter((d) => d >= "A" && all.indexOf(d) === all.lastIndexOf(d)).sort()];
}

function checkSizes(terms: readonly Named[], equation: string): void {
  const sizes = new Map<string, number>();
  for (const { x, dims } of terms)
    dims.forEach((d, i) => {
      const before = sizes.get(d) ?? 1;
      if (before !== 1 && x.shape[i] !== 1 && before !== x.shape[i])
        fail(
          "ERR_NABLA_SHAPE",
          "einsum",
          `"${equation}": dim ${d} is ${before} in one tensor and ${x.shape[i]} in another`,
          {
            values: Object.fromEntries(terms.map((t, k) => [`x${k}`, t.x])),
            expected: before,
            actual: x.shape[i],
          },
        );
      sizes.set(d, Math.max(before, x.shape[i]));
    });
}

/** torch.einsum: "bij,bjk->bik". Contracted from left to right, two at a time. */
export function einsum(equation: string, ...tensors: Value[]): Value {
  const [inputs = "", output, ...rest] = equation.replace(/\s/g, "").split("->");
  const terms = inputs.split(",");
  if (rest.length || terms.length !== tensors.length)
    complain(equation, `terms for ${terms.length} tensors, but ${tensors.length} given`);
  const spelled = tensors.map((x, i) => ({ x, dims: spell(terms[i], x.ndim, equation) }));
  checkSizes(spelled, equation);
  const named = spelled.map(withoutRepeats);
  const width = new Set(named.flatMap(({ dims }) => dims.filter((d) => d < "A"))).size;
  const dims =
    output === undefined
      ? implied(spelled)
      : spell(output, output.replace("...", "").length + (output.includes("...") ? width : 0), equation);
  const unknown = dims.find((d, i) => dims.indexOf(d) !== i || !named.some((n) => n.dims.includes(d)));
  if (unknown) complain(equation, `${unknown} of the result stands in no term, or twice`);
  const [first, ...others] = named;
  const all = others.reduce((left, right, i) => {
    return contract(left, right, new Set([...dims, ...others.slice(i + 1).flatMap((n) => n.dims)]));
  }, first);
  return arrange(sumAway(all, new Set(dims)), dims);
}

/** torch.tensordot: the last n dims of a with the first n of b, or the dims listed for each. */
export function tensordot(a: Value, b: Value, dims: number | readonly [Dims, Dims] = 2): Value {
  const [left, right] =
    typeof dims === "number"
      ? [Array.from({ length: dims }, (_, i) => a.ndim - dims + i), Array.from({ length: dims }, (_, i) => i)]
      : [dims[0].map((d) => checkDim("tensordot", d, a.ndim)), dims[1].map((d) => checkDim("tensordot", d, b.ndim))];
  const sizes = left.map((d) => a.shape[d]);
  if (left.length !== right.length || right.some((d, i) => b.shape[d] !== sizes[i]))
    fail("ERR_NABLA_SHAPE", "tensordot", `dims [${left.join(", ")}] and [${right.join(", ")}] differ in size`, {
      values: { a, b },
      actual: dims,
    });
  const rest = (x: Value, taken: readonly number[]) => x.shape.map((_, i) => i).filter((i) => !taken.includes(i));
  const [rows, cols] = [rest(a, left), rest(b, right)];
  const [m, n] = [rows.map((d) => a.shape[d]), cols.map((d) => b.shape[d])];
  const product = matmul(
    reshape(permute(a, [...rows, ...left]), [numel(m), numel(sizes)]),
    reshape(permute(b, [...right, ...cols]), [numel(sizes), numel(n)]),
  );
  return reshape(product, [...m, ...n]);
}
