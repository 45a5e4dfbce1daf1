// The windows of an ONNX node: kernel, strides, dilations and borders of each dimension behind batch and channels.
import type { Value } from "../../../lib/core/value.ts";
import type { Args } from "../args.ts";
import { call } from "../library.ts";

/** Elements before and after, for each dimension. */
export type Borders = readonly (readonly [before: number, after: number])[];

export interface Windows {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly borders: Borders;
}

/** SAME_UPPER has the odd one at the end, SAME_LOWER at the start. */
export const halves = (total: number, upper: boolean): [number, number] => {
  const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)];
  return upper ? [less, more] : [more, less];
};
/** Pads are all that stand before, then all that stand after. */
export function borders(a: Args, rank: number): Borders {
  const pads = a.numbers("pads") ?? new Array<number>(2 * rank).fill(0);
  return Array.from({ length: rank }, (_, i) => [pads[i]!, pads[i + rank]!]);
}
/** With SAME there are ceil(n / stride) windows over n elements. */
export function windows(a: Args, x: Value, kernel: readonly number[]): Windows {
  const each = (name: string) => a.numbers(name) ?? kernel.map(() => 1);
  const [stride, dilation, auto] = [each("strides"), each("dilations"), a.word("auto_pad", "NOTSET")];
  const given = borders(a, kernel.length);
  const same = kernel.map((k, i) => {
    const n = x.shape[2 + i]!;
    const end = (Math.ceil(n / stride[i]!) - 1) * stride[i]! + dilation[i]! * (k - 1) + 1;
    return halves(Math.max(0, end - n), auto === "SAME_UPPER");
  });
  return { kernel, stride, dilation, borders: auto.startsWith("SAME") ? same : given };
}

export const even = (sides: Borders): boolean => sides.every(([before, after]) => before === after);
/** Borders around the last dimensions; negative ones cut off. */
export const bordered = (x: Value, sides: Borders, value = 0): Value =>
  call("pad", [x], sides.toReversed().flat(), { value });
/** The padding of an op that knows one border for both sides, in three dimensions one for all; others are laid around x. */
export function evened(x: Value, sides: Borders): { x: Value; padding: number[] } {
  const alike = sides.length < 3 || sides.every(([before]) => before === sides[0]![0]);
  if (even(sides) && alike) return { x, padding: sides.map(([before]) => before) };
  return { x: bordered(x, sides), padding: sides.map(() => 0) };
}
