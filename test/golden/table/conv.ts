// ONNX convolutions.
import type { Value } from "../../../lib/core/value.ts";
import type { Args, Table } from "../args.ts";
import { call } from "../library.ts";
import { Skip } from "../outcome.ts";
import { node, x0 } from "./node.ts";
import { bordered, borders, even, evened, halves, windows } from "./window.ts";

/** A convolution in three dimensions has one stride and one dilation. */
function alike(name: string, sizes: readonly number[]): number {
  if (sizes.some((n) => n !== sizes[0])) throw new Skip(`no conv3d whose ${name} differs from dimension to dimension`);
  return sizes[0]!;
}
function conv(a: Args): Value {
  a.ignore("kernel_shape");
  const weight = a.tensor("x1");
  const kernel = weight.shape.slice(2);
  const { stride, dilation, borders: sides } = windows(a, x0(a), kernel);
  const { x, padding } = evened(x0(a), sides);
  const [operands, groups] = [[x, weight, a.optional("x2")], a.number("group", 1)];
  if (kernel.length < 3) return call(`conv${kernel.length}d`, operands, { stride, padding, dilation, groups });
  const options = { stride: alike("stride", stride), padding: padding[0] };
  return call("conv3d", operands, { ...options, dilation: alike("dilation", dilation), groups });
}

/**
 * A result of given size, or of n stride elements with SAME, says itself how much is cut off. What would have to be added
 * is added at the end.
 */
function cut(a: Args, size: (i: number) => number, wanted: readonly number[] | undefined, rank: number) {
  const upper = a.word("auto_pad", "NOTSET") === "SAME_UPPER";
  const given = borders(a, rank);
  const more = a.numbers("output_padding") ?? given.map(() => 0);
  if (!wanted) return { sides: given, more };
  const totals = given.map((_, i) => size(i) + more[i]! - wanted[i]!);
  return {
    sides: totals.map((n) => halves(Math.max(0, n), upper)),
    more: more.map((m, i) => m + Math.max(0, -totals[i]!)),
  };
}
function convTranspose(a: Args): Value {
  a.ignore("kernel_shape");
  const [x, weight] = [x0(a), a.tensor("x1")];
  const [kernel, inputs] = [weight.shape.slice(2), x.shape.slice(2)];
  const rank = kernel.length;
  if (rank > 2) throw new Skip("no convTranspose3d");
  const [stride, dilation] = ["strides", "dilations"].map((name) => a.numbers(name) ?? kernel.map(() => 1));
  const same = a.word("auto_pad", "NOTSET").startsWith("SAME");
  const wanted = a.numbers("output_shape")?.slice(-rank) ?? (same ? inputs.map((n, i) => n * stride![i]!) : undefined);
  const size = (i: number) => (inputs[i]! - 1) * stride![i]! + dilation![i]! * (kernel[i]! - 1) + 1;
  const { sides, more } = cut(a, size, wanted, rank);
  const padding = sides.map(([before]) => (even(sides) ? before : 0));
  const options = { stride, dilation, padding, outputPadding: more, groups: a.number("group", 1) };
  const y = call(`convTranspose${rank}d`, [x, weight, a.optional("x2")], options);
  if (even(sides)) return y;
  return bordered(
    y,
    sides.map(([before, after]) => [-before, -after]),
  );
}

export const convolution: Table = { Conv: node(conv), ConvTranspose: node(convTranspose) };
