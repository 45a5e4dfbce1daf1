// The schedules of torch and transformers as those of the library.
import { lookup } from "./library.ts";
import type { ScheduleCase } from "./optim.ts";
import { Skip } from "./outcome.ts";

type Rate = (step: number) => number;
const made = (name: string, options: object): Rate => lookup<(options: object) => Rate>(`schedule.${name}`)(options);
const warm = (steps: number, after: Rate, start = 0): Rate =>
  steps === 0
    ? after
    : lookup<(steps: number, after: Rate, options: object) => Rate>("schedule.linearWarmup")(steps, after, { start });

type Make = (from: number, args: Readonly<Record<string, number>>, last: number) => Rate;

/** nabla's cosine stays at its end, where torch's rises again. */
function cosine(from: number, to: number, steps: number, last: number): Rate {
  if (last > steps) throw new Skip("no rise after the end of a cosine");
  return made("cosine", { from, to, steps });
}

const schedules: Record<string, Make> = {
  LinearLR: (base, { start_factor = 1 / 3, end_factor = 1, total_iters = 5 }) =>
    made("linear", { from: base * start_factor, to: base * end_factor, steps: total_iters }),
  ConstantLR: (base, { factor = 1 / 3, total_iters = 5 }) =>
    made("multiStep", { from: base * factor, milestones: [total_iters], gamma: 1 / factor }),
  StepLR: (from, { step_size, gamma = 0.1 }) => made("step", { from, size: step_size, gamma }),
  MultiStepLR: (from, { milestones, gamma = 0.1 }) => made("multiStep", { from, milestones, gamma }),
  ExponentialLR: (from, { gamma }) => made("exponential", { from, gamma }),
  PolynomialLR: (from, { total_iters = 5, power = 1 }) => made("polynomial", { from, steps: total_iters, power }),
  CosineAnnealingLR: (from, { T_max, eta_min = 0 }, last) => cosine(from, eta_min, T_max!, last),
  CosineAnnealingWarmRestarts: (from, { T_0, T_mult = 1, eta_min = 0 }) =>
    made("cosineRestarts", { from, to: eta_min, period: T_0, factor: T_mult }),
  OneCycleLR: (_, { max_lr, total_steps, pct_start, div_factor, final_div_factor, three_phase, anneal_strategy }) =>
    made("oneCycle", {
      max: max_lr,
      steps: total_steps,
      ...(pct_start === undefined ? {} : { pctStart: pct_start }),
      ...(div_factor === undefined ? {} : { divFactor: div_factor }),
      ...(final_div_factor === undefined ? {} : { finalDivFactor: final_div_factor }),
      ...(three_phase === undefined ? {} : { threePhase: three_phase }),
      ...(anneal_strategy === undefined ? {} : { anneal: anneal_strategy }),
    }),
  CyclicLR: (_, { base_lr, max_lr, step_size_up = 2000, step_size_down = step_size_up, mode, gamma = 1 }) => {
    const name = String(mode ?? "triangular").replace("exp_", "");
    return made("cyclic", { low: base_lr, high: max_lr, up: step_size_up, down: step_size_down, mode: name, gamma });
  },
  SequentialLR: (from, { w, total }, last) =>
    warm(Math.max(1, w!), cosine(from, 0, total! - w!, last - Math.max(1, w!)), 0.1),
  get_linear_schedule_with_warmup: (from, { num_warmup_steps: w, num_training_steps: total }) =>
    warm(w!, made("linear", { from, to: 0, steps: total! - w! })),
  get_cosine_schedule_with_warmup: (from, { num_warmup_steps: w, num_training_steps: total, num_cycles = 0.5 }) => {
    if (num_cycles !== 0.5) throw new Skip(`no cosine of ${num_cycles} cycles`);
    return warm(w!, made("cosine", { from, to: 0, steps: total! - w! }));
  },
  get_cosine_with_hard_restarts_schedule_with_warmup: (
    from,
    { num_warmup_steps: w, num_training_steps: total, num_cycles = 1 },
  ) => warm(w!, made("cosineRestarts", { from, period: (total! - w!) / num_cycles })),
  get_polynomial_decay_schedule_with_warmup: (
    from,
    { num_warmup_steps: w, num_training_steps: total, lr_end = 1e-7, power = 1 },
  ) => warm(w!, made("polynomial", { from, to: lr_end, steps: total! - w!, power })),
};

/** "torch.optim.lr_scheduler.StepLR" is StepLR, "SequentialLR[...]" SequentialLR. */
export const scheduleName = (text: string): string => text.replace(/\[.*/, "").split(".").at(-1)!;

/** The rate of a step follows from what was measured after those before it. */
function plateau(from: number, args: ScheduleCase["args"], metrics: readonly number[]): Rate {
  const { min_lr: to = 0, threshold_mode = "rel", ...rest } = args;
  const options = { from, to, thresholdMode: threshold_mode, ...rest };
  const rate = lookup<(options: object) => (measured: readonly number[]) => number>("schedule.plateau")(options);
  return (step) => rate(metrics.slice(0, step));
}

export function schedule({ schedule: text, base_lr, args, lr, metrics }: ScheduleCase): Rate {
  const name = scheduleName(text);
  if (metrics) return plateau(base_lr, args, metrics);
  const make = schedules[name];
  if (!make) throw new Skip(`no ${name}`);
  return make(base_lr, args as Record<string, number>, lr.length - 1);
}
