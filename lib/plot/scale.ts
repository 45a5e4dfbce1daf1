import { fail } from "../core/errors.ts";
import { group, short } from "./words.ts";

export interface Tick {
  readonly value: number;
  readonly text: string;
}
/** An axis: where a value lies between 0 and 1, and round numbers along it. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  /** False for NaN, infinities, and on a log axis for what is not above 0. */
  shows(value: number): boolean;
  at(value: number): number;
  /** Round numbers, about `count` of them and at least one. */
  ticks(count: number): Tick[];
}
export type Range = readonly [low: number, high: number];
export interface ScaleOptions {
  log?: boolean;
  range?: Range | undefined;
  /** Free room at both ends, as a share. */
  pad?: number;
}

/** Beyond it, a difference of two numbers may be infinite, and what is not larger than its inverse has no round step. */
const huge = 1e300;

/** An axis over all values that can be shown; from 0 to 1 (log: 0.1 to 1) if there is none. */
export function scaleOf(op: string, values: Iterable<number>, { log = false, range, pad = 0 }: ScaleOptions): Scale {
  const shows = (value: number): boolean => Math.abs(value) < huge && (!log || value > 1 / huge);
  const warp = (value: number): number => (log ? Math.log10(value) : value);
  const unwarp = (value: number): number => (log ? 10 ** value : value);
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of range ?? values) {
    if (!shows(value)) continue;
    from = Math.min(from, warp(value));
    to = Math.max(to, warp(value));
  }
  if (range && (range.length !== 2 || !range.every(shows) || !(range[0] < range[1])))
    fail(
      "ERR_NABLA_VALUE",
      op,
      `a range must be two numbers that the axis can show, low first, got ${range.join(", ")}`,
      { actual: range },
    );
  if (from > to) [from, to] = log ? [-1, 0] : [0, 1];
  // Equal but for rounding: around the one value there is, 0 or 1 in the middle.
  const size = Math.max(Math.abs(from), Math.abs(to));
  if (!(to - from > (log ? 1e-9 : Math.max(size * 1e-9, 1 / huge)))) {
    const half = log ? 0.5 : size > 1 / huge ? size / 2 : 1;
    [from, to] = [from - half, to + half];
  } else if (!range) {
    const room = (to - from) * pad;
    [from, to] = [from - room, to + room];
  }
  const [low, high] = [unwarp(from), unwarp(to)];
  return {
    low,
    high,
    log,
    shows,
    at: (value) => (warp(value) - from) / (to - from),
    ticks: (count) => (log ? logTicks(from, to, count) : linearTicks(from, to, count)),
  };
}

/** Multiples of 1, 2 or 5 times a power of ten. */
function linearTicks(low: number, high: number, count: number): Tick[] {
  const rough = (high - low) / Math.max(1, count);
  const power = Math.floor(Math.log10(rough));
  const mantissa = rough / 10 ** power;
  const [factor, carry] = mantissa <= 1.0001 ? [1, 0] : mantissa <= 2 ? [2, 0] : mantissa <= 5 ? [5, 0] : [1, 1];
  const digits = Math.max(0, -(power + carry));
  const step = factor * 10 ** (power + carry);
  const ticks: Tick[] = [];
  const first = Math.ceil(low / step - 1e-9);
  const size = Math.max(Math.abs(low), Math.abs(high));
  for (let i = 0; i <= Math.floor(high / step + 1e-9) - first; i++) {
    const value = Number(((first + i) * step).toPrecision(12));
    const plain = digits <= 6 && size < 1e7;
    ticks.push({ value, text: plain ? group(value.toFixed(digits)) : short(value, 4) });
  }
  return ticks;
}

/** Powers of ten, every so many; between few of them also 2 and 5 times; between none, numbers like those of a linear axis. */
function logTicks(from: number, to: number, count: number): Tick[] {
  const decades = Math.floor(to + 1e-9) - Math.ceil(from - 1e-9);
  const every = Math.max(1, Math.ceil((decades + 1) / Math.max(2, count)));
  const mantissas = decades >= 2 ? [1] : [1, 2, 5];
  const ticks: Tick[] = [];
  for (let power = Math.floor(from); power <= to + 1e-9; power++) {
    if (mantissas.length === 1 && power % every !== 0) continue;
    for (const mantissa of mantissas) {
      const value = Number(`${mantissa}e${power}`);
      const place = power + Math.log10(mantissa);
      if (place >= from - 1e-9 && place <= to + 1e-9) ticks.push({ value, text: decade(mantissa, power) });
    }
  }
  return ticks.length >= 2 ? ticks : linearTicks(10 ** from, 10 ** to, count);
}
const decade = (mantissa: number, power: number): string =>
  power >= -3 && power <= 4 ? short(Number(`${mantissa}e${power}`)) : `${mantissa}e${power}`;
