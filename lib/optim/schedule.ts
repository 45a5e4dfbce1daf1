// Learning rates as functions of the step, counted from 0. They hold no state: a resumed run asks for step 5000 and has it.
import { checkPlain, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";

/** The learning rate of a step, counted from 0. */
export type Schedule = (step: number) => number;

function positive(op: string, values: Readonly<Record<string, number>>): void {
  checkPlain(op, values);
  for (const [name, x] of Object.entries(values)) {
    if (!(Number.isFinite(x) && x > 0))
      fail("ERR_NABLA_VALUE", op, `${name} must be a number above 0, got ${x}`, { expected: "above 0", actual: x });
  }
}
function finite(op: string, values: Readonly<Record<string, number>>): void {
  checkPlain(op, values);
  for (const [name, x] of Object.entries(values)) {
    if (!Number.isFinite(x))
      fail("ERR_NABLA_VALUE", op, `${name} must be a finite number, got ${x}`, { expected: "finite", actual: x });
  }
}
/** The share of `steps` that is done, at most 1. */
const progress = (step: number, steps: number): number => Math.min(step / steps, 1);
/** From 1 at 0 down to 0 at 1, along half a cosine. */
const halfCosine = (x: number): number => (1 + Math.cos(Math.PI * x)) / 2;

/**
 * The same rate at every step.
 * @example
 * ```ts
 * import { schedule } from "nabla";
 * const lr = schedule.constant(0.1);
 * console.log(lr(0), lr(999)); // 0.1 0.1
 * ```
 */
export function constant(lr: number): Schedule {
  finite("constant", { lr });
  return () => lr;
}

/** Options of {@link linearWarmup}. */
export interface WarmupOptions {
  /** Share of the first rate to begin with: 0 unless given. */
  start?: number;
}
/**
 * Rises to the first rate of `after` in equal steps, then follows `after`, which counts from the end of the warm-up:
 * lr(i) = after(0) (start + (1 - start) i / steps) for i < steps. PyTorch: `SequentialLR([LinearLR, after])`.
 * @example
 * ```ts
 * import { schedule } from "nabla";
 * const lr = schedule.linearWarmup(4, schedule.constant(0.8));
 * console.log([0, 1, 2, 3, 4].map(lr)); // [ 0, 0.2, 0.4, 0.6000000000000001, 0.8 ]
 * ```
 */
export function linearWarmup(steps: number, after: Schedule, options: WarmupOptions = {}): Schedule {
  const { start = 0 } = only("linearWarmup", options, ["start"]);
  finite("linearWarmup", { steps, start });
  return (i) => (i < steps ? after(0) * (start + ((1 - start) * i) / steps) : after(i - steps));
}

/** A rate that goes from one value to another in a number of steps, after an optional warm-up that is part of them. */
export interface DecayOptions {
  /** The highest rate, where the decay begins. */
  from: number;
  /** The rate at the end and ever after; 0 unless given. */
  to?: number;
  /** All steps, the warm-up included. */
  steps: number;
  /** How many of them rise linearly to `from`. */
  warmup?: number;
  /** Share of `from` that the warm-up begins with; 0 unless given. */
  start?: number;
}
/** y goes from 1 to 0 while x goes from 0 to 1. */
const decayNames = ["from", "to", "steps", "warmup", "start"] as const;
function decay(op: string, options: DecayOptions, y: (x: number) => number): Schedule {
  const { from, to = 0, steps, warmup = 0, start = 0 } = only(op, options, decayNames);
  finite(op, { from, to, warmup, start });
  positive(op, { steps, "steps - warmup": steps - warmup });
  const falling: Schedule = (i) => to + (from - to) * y(progress(i, steps - warmup));
  return warmup > 0 ? linearWarmup(warmup, falling, { start }) : falling;
}

/**
 * A straight line: lr(i) = from + (to - from) i / steps. PyTorch: `LinearLR`; transformers: `get_linear_schedule_with_warmup`.
 * @example
 * ```ts
 * import { schedule } from "nabla";
 * const lr = schedule.linear({ from: 0.5, to: 0.1, steps: 4 });
 * console.log(lr(2), lr(100)); // 0.30000000000000004 0.1
 * ```
 */
export function linear(options: DecayOptions): Schedule {
  return decay("linear", options, (x) => 1 - x);
}

/**
 * Half a cosine: lr(i) = to + (from - to) (1 + cos(pi i / steps)) / 2. PyTorch: `CosineAnnealingLR`, but it stays at `to`
 * where that one rises again.
 * @example
 * ```ts
 * import { cosine } from "nabla";
 * const lr = cosine({ from: 3e-4, to: 3e-5, steps: 5000, warmup: 100 });
 * console.log(lr(0), lr(100), lr(5000)); // 0 0.0003 0.00003
 * ```
 */
export function cosine(options: DecayOptions): Schedule {
  return decay("cosine", options, halfCosine);
}

/**
 * lr(i) = to + (from - to) (1 - i / steps)^power. PyTorch: `PolynomialLR`.
 * @example
 * ```ts
 * import { schedule } from "nabla";
 * const lr = schedule.polynomial({ from: 1, steps: 10, power: 2 });
 * console.log(lr(5)); // 0.25
 * ```
 */
export function polynomial(options: DecayOptions & { power?: number }): Schedule {
  const { power = 1, ...rest } = only("polynomial", options, ["power", ...decayNames]);
  positive("polynomial", { power });
  return decay("polynomial", rest, (x) => (1 - x) ** power);
}

/**
 * Falls by a factor every `size` steps: lr(i) = from gamma^floor(i / size). PyTorch: `StepLR`.
 * @example
 * ```ts
 * import { schedule } from "nabla";
 * const lr = schedule.step({ from: 1, size: 10, gamma: 0.5 });
 * console.log(lr(9), lr(10), lr(20)); // 1 0.5 0.25
 * ```
 */
export function step(options: { from: number; size: number; gamma?: number }): Schedule {
  const { from, size, gamma = 0.1 } = only("step", options, ["from", "size", "gamma"]);
  finite("step", { from, gamma });
  positive("step", { size });
  return (i) => from * gamma ** Math.floor(i / size);
}

/**
 * Falls by a factor at each milestone: lr(i) = from gamma^(milestones up to i). PyTorch: `MultiStepLR`.
 * @example
 * ```ts
 * import { schedule } from "nabla";
 * const lr = schedule.multiStep({ from: 1, milestones: [5, 20], gamma: 0.5 });
 * console.log(lr(4), lr(5), lr(20)); // 1 0.5 0.25
 * ```
 */
export function multiStep(options: { from: number; milestones: readonly number[]; gamma?: number }): Schedule {
  const { from, milestones, gamma = 0.1 } = only("multiStep", options, ["from", "milestones", "gamma"]);
  if (!Array.isArray(milestones) || !milestones.every(Number.isFinite))
    fail("ERR_NABLA_VALUE", "multiStep", "the milestones are a list of steps", { actual: milestones });
  finite("multiStep", { from, gamma });
  return (i) => from * gamma ** milestones.filter((at) => at <= i).length;
}

/**
 * lr(i) = from gamma^i. PyTorch: `ExponentialLR`.
 * @example
 * ```ts
 * import { schedule } from "nabla";
 * const lr = schedule.exponential({ from: 1, gamma: 0.5 });
 * console.log(lr(3)); // 0.125
 * ```
 */
export function exponential(options: { from: number; gamma: number }): Schedule {
  const { from, gamma } = only("exponential", options, ["from", "gamma"]);
  finite("exponential", { from, gamma });
  return (i) => from * gamma ** i;
}

/** Options of {@link cosineRestarts}. */
export interface RestartOptions {
  from: number;
  to?: number;
  /** Steps of the first fall. */
  period: number;
  /** Each period is so many times as long as the one before; 1 unless given. */
  factor?: number;
}
/**
 * Falls along half a cosine, jumps back to `from`, and falls again. PyTorch: `CosineAnnealingWarmRestarts` with `T_0` = period
 * and `T_mult` = factor.
 * @example
 * ```ts
 * import { schedule } from "nabla";
 * const lr = schedule.cosineRestarts({ from: 1, period: 10, factor: 2 });
 * console.log(lr(0), lr(5), lr(10), lr(20)); // 1 0.5 1 0.5
 * ```
 */
export function cosineRestarts(options: RestartOptions): Schedule {
  const { from, to = 0, period, factor = 1 } = only("cosineRestarts", options, ["from", "to", "period", "factor"]);
  finite("cosineRestarts", { from, to });
  positive("cosineRestarts", { period, factor });
  if (factor < 1)
    fail("ERR_NABLA_VALUE", "cosineRestarts", `factor must be at least 1, got ${factor}`, { actual: factor });
  return (i) => {
    // Period n begins at period (factor^n - 1) / (factor - 1).
    const n =
      factor === 1
        ? Math.floor(i / period)
        : Math.floor(Math.log1p((i / period) * (factor - 1)) / Math.log(factor) + 1e-9);
    const length = period * factor ** n;
    const begin = factor === 1 ? n * period : (period * (factor ** n - 1)) / (factor - 1);
    return to + (from - to) * halfCosine((i - begin) / length);
  };
}

/** Options of {@link oneCycle}; the names of PyTorch's in camelCase. */
export interface OneCycleOptions {
  /** The rate at the top. */
  max: number;
  steps: number;
  /** Share of the steps that rise; 0.3 unless given. */
  pctStart?: number;
  /** The first rate is max / divFactor; 25 unless given. */
  divFactor?: number;
  /** The last rate is max / divFactor / finalDivFactor; 1e4 unless given. */
  finalDivFactor?: number;
  anneal?: "cos" | "linear";
  /** Fall back to the first rate as steeply as it rose, and only then to the last. */
  threePhase?: boolean;
}
/**
 * Rises from max / divFactor to max, then falls far below where it began (Smith and Topin, 2017). PyTorch: `OneCycleLR`.
 * @example
 * ```ts
 * import { schedule } from "nabla";
 * const lr = schedule.oneCycle({ max: 1, steps: 101, pctStart: 0.3 });
 * console.log(lr(0).toFixed(2), lr(29.3).toFixed(2), lr(100).toFixed(6)); // 0.04 1.00 0.000004
 * ```
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const {
    max,
    steps,
    pctStart = 0.3,
    divFactor = 25,
    finalDivFactor = 1e4,
    anneal = "cos",
    threePhase = false,
  } = only("oneCycle", options, ["max", "steps", "pctStart", "divFactor", "finalDivFactor", "anneal", "threePhase"]);
  finite("oneCycle", { max, pctStart });
  positive("oneCycle", { steps, divFactor, finalDivFactor });
  const first = max / divFactor;
  const last = first / finalDivFactor;
  const top = pctStart * steps - 1;
  const points = threePhase
    ? [
        [0, first],
        [top, max],
        [2 * top, first],
        [steps - 1, last],
      ]
    : [
        [0, first],
        [top, max],
        [steps - 1, last],
      ];
  const y = anneal === "cos" ? halfCosine : (x: number) => 1 - x;
  return (i) => {
    const end = points.findIndex(([at], p) => p > 0 && i <= at);
    if (end < 0) return last;
    const [[a, from], [b, to]] = [points[end - 1] as [number, number], points[end] as [number, number]];
    return to + (from - to) * y((i - a) / (b - a));
  };
}

/** Options of {@link cyclic}. */
export interface CyclicOptions {
  low: number;
  high: number;
  /** Steps of a rise, and of a fall unless `down` is given. */
  up: number;
  down?: number;
  /** How the height of a cycle changes: "triangular" not, "triangular2" it halves, "range" times gamma^step. */
  mode?: "triangular" | "triangular2" | "range";
  gamma?: number;
}
/**
 * Rises and falls between two rates in straight lines (Smith, 2015). PyTorch: `CyclicLR`; "range" is its `exp_range`.
 * @example
 * ```ts
 * import { schedule } from "nabla";
 * const lr = schedule.cyclic({ low: 0, high: 1, up: 4 });
 * console.log([0, 2, 4, 6, 8].map(lr)); // [ 0, 0.5, 1, 0.5, 0 ]
 * ```
 */
export function cyclic(options: CyclicOptions): Schedule {
  const {
    low,
    high,
    up,
    down = up,
    mode = "triangular",
    gamma = 1,
  } = only("cyclic", options, ["low", "high", "up", "down", "mode", "gamma"]);
  finite("cyclic", { low, high, gamma });
  positive("cyclic", { up, down });
  return (i) => {
    const cycle = Math.floor(i / (up + down));
    const at = i - cycle * (up + down);
    const height = at <= up ? at / up : 1 - (at - up) / down;
    const scale = mode === "triangular" ? 1 : mode === "triangular2" ? 0.5 ** cycle : gamma ** i;
    return low + (high - low) * height * scale;
  };
}

/** Options of {@link plateau}; the names of PyTorch's in camelCase. */
export interface PlateauOptions {
  from: number;
  /** What the rate is multiplied by; 0.1 unless given. */
  factor?: number;
  /** Measurements without progress that are put up with; 10 unless given. */
  patience?: number;
  /** Measurements after a fall that do not count. */
  cooldown?: number;
  /** The lowest rate. */
  to?: number;
  /** Progress is more than this, as a share of the best ("rel") or as it stands ("abs"); 1e-4 unless given. */
  threshold?: number;
  thresholdMode?: "rel" | "abs";
  /** Whether measurements are to become small or large. */
  mode?: "min" | "max";
}
/**
 * Falls by a factor when a measurement, a validation loss for example, has not become better for a while. A function of all
 * measurements so far, not of the step. PyTorch: `ReduceLROnPlateau`.
 * @example
 * ```ts
 * import { schedule } from "nabla";
 * const lr = schedule.plateau({ from: 1, patience: 1, factor: 0.5 });
 * console.log(lr([]), lr([3, 2, 2]), lr([3, 2, 2, 2])); // 1 1 0.5
 * ```
 */
export function plateau(options: PlateauOptions): (measured: readonly number[]) => number {
  const {
    from,
    factor = 0.1,
    patience = 10,
    cooldown = 0,
    to = 0,
    threshold = 1e-4,
    mode = "min",
    thresholdMode = "rel",
  } = only("plateau", options, ["from", "factor", "patience", "cooldown", "to", "threshold", "mode", "thresholdMode"]);
  finite("plateau", { from, patience, cooldown, to, threshold });
  positive("plateau", { factor });
  const sign = mode === "max" ? -1 : 1;
  const least = (best: number) => (thresholdMode === "abs" ? threshold : Math.abs(best) * threshold);
  return (measured) => {
    let [rate, best, bad, rest] = [from, Number.POSITIVE_INFINITY, 0, 0];
    for (const x of measured.map((m) => sign * m)) {
      const better = best === Number.POSITIVE_INFINITY ? x < best : x < best - least(best);
      if (better) best = x;
      bad = better || rest > 0 ? 0 : bad + 1;
      rest = Math.max(rest - 1, 0);
      if (bad <= patience) continue;
      rate = Math.max(rate * factor, to);
      [bad, rest] = [0, cooldown];
    }
    return rate;
  };
}
