// When a result counts as the expected one.
import { hashUnit, type Tensors } from "./reader.ts";

/** bits: -0 and 0 differ. exact: equal as numbers. close: |got - ref| <= atol + rtol |ref|. NaN matches NaN in all three. */
export interface Tolerance {
  readonly mode: "bits" | "exact" | "close";
  readonly atol?: number;
  readonly rtol?: number;
  /** Flat positions that are not compared: ties, points where torch defines nothing. */
  readonly skip?: readonly number[];
}
export type Numbers = ArrayLike<number | bigint>;

const tiny = 2 ** -126;
/** A subnormal result may have been flushed to zero. */
const same = (got: number, ref: number): boolean => got === ref || (Math.abs(ref) < tiny && Math.abs(got) < tiny);

function matches(got: number, ref: number, { mode, atol = 0, rtol = 0 }: Tolerance): boolean {
  if (Number.isNaN(ref)) return Number.isNaN(got);
  if (mode === "bits") return Object.is(got, ref);
  if (mode === "exact" || !Number.isFinite(ref)) return same(got, ref);
  return Math.abs(got - ref) <= atol + rtol * Math.abs(ref);
}

/** What differs, with the worst place; undefined where nothing does. */
export function compare(got: Numbers, ref: Numbers, tolerance: Tolerance): string | undefined {
  if (got.length !== ref.length) return `${got.length} elements, expected ${ref.length}`;
  const skipped = new Set(tolerance.skip);
  let count = 0;
  let worst = -1;
  let at = 0;
  for (let i = 0; i < ref.length; i++) {
    const [g, r] = [Number(got[i]), Number(ref[i])];
    if (skipped.has(i) || matches(g, r, tolerance)) continue;
    count++;
    const miss = Math.abs(g - r);
    if (count === 1 || !(miss <= worst)) [worst, at] = [miss, i];
  }
  if (count === 0) return undefined;
  const bound = tolerance.mode === "close" ? `within ${tolerance.atol} + ${tolerance.rtol} |ref|` : tolerance.mode;
  return `${count} of ${ref.length} differ, worst at ${at}: got ${got[at]}, expected ${ref[at]} (${bound})`;
}

/** A large result: values at sampled positions, and a weighted sum over all of it. */
export interface Sampled {
  readonly sample_index: string;
  readonly sample_value: string;
  readonly checksum: { readonly seed: number; readonly value: number; readonly tol: number };
  readonly cmp: Tolerance;
}
export function compareSampled(got: Numbers, expected: Sampled, tensors: Tensors): string | undefined {
  const at = tensors.get(expected.sample_index);
  const ref = tensors.get(expected.sample_value);
  if (!at || !ref) return "its samples are not in the file";
  const picked = Array.from(at.data as ArrayLike<number | bigint>, (i) => Number(got[Number(i)]));
  const miss = compare(picked, ref.data, expected.cmp);
  if (miss) return `samples: ${miss}`;
  const { seed, value, tol } = expected.checksum;
  let sum = 0;
  for (let i = 0; i < got.length; i++) sum += Number(got[i]) * hashUnit(seed, i);
  const near = Math.abs(sum - value) <= tol + 1e-9 * Math.abs(value);
  return near ? undefined : `checksum ${sum}, expected ${value} within ${tol}`;
}
