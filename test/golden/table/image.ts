// Convolution, pooling, and other sizes for pictures.
import type { Value } from "../../../lib/core/value.ts";
import { type Args, type Entry, entry, type Table } from "../args.ts";
import { call } from "../library.ts";

type Options = Record<string, unknown>;
const sizes = (a: Args, name: string): number[] | undefined => {
  const list = a.numbers(name);
  return list?.length === 0 ? undefined : list;
};
const given = (options: Options): Options =>
  Object.fromEntries(Object.entries(options).filter(([, x]) => x !== undefined));

function padding(a: Args): number[] | string | undefined {
  const x = a.get("padding");
  return typeof x === "string" ? x : sizes(a, "padding");
}
/** Dimensions of a convolution in three are all alike here. */
const alike = (x: unknown): unknown => (Array.isArray(x) ? x[0] : x);
function conv(name: string): Entry {
  return entry("input weight bias stride padding dilation groups", (a) => {
    const options = given({
      stride: sizes(a, "stride"),
      padding: padding(a),
      dilation: sizes(a, "dilation"),
      groups: a.number("groups", 1),
    });
    const operands = [a.tensor("input"), a.tensor("weight"), a.optional("bias")];
    if (name !== "conv3d") return call(name, operands, options);
    return call(name, operands, Object.fromEntries(Object.entries(options).map(([key, x]) => [key, alike(x)])));
  });
}
function transposed(name: string): Entry {
  return entry("input weight bias stride padding output_padding groups dilation", (a) =>
    call(
      name,
      [a.tensor("input"), a.tensor("weight"), a.optional("bias")],
      given({
        stride: sizes(a, "stride"),
        padding: sizes(a, "padding"),
        outputPadding: sizes(a, "output_padding"),
        dilation: sizes(a, "dilation"),
        groups: a.number("groups", 1),
      }),
    ),
  );
}
const windows = (a: Args): Options =>
  given({ stride: sizes(a, "stride"), padding: sizes(a, "padding"), dilation: sizes(a, "dilation") });

function maxPool(name: string, indices: boolean): Entry {
  return entry("input kernel_size stride padding dilation ceil_mode return_indices", (a) => {
    const options = { ...windows(a), ceilMode: a.flag("ceil_mode") };
    const wanted = a.flag("return_indices", indices);
    const { y, index } = call<{ y: Value; index: Value }>(
      `${name}WithIndices`,
      [a.tensor("input")],
      a.numbers("kernel_size"),
      options,
    );
    return wanted ? { out: y, indices: index } : y;
  });
}
function avgPool(name: string): Entry {
  return entry("input kernel_size stride padding ceil_mode count_include_pad divisor_override", (a) =>
    call(name, [a.tensor("input")], a.numbers("kernel_size"), {
      ...windows(a),
      ceilMode: a.flag("ceil_mode"),
      countIncludePad: a.flag("count_include_pad", true),
      divisorOverride: a.number("divisor_override"),
    }),
  );
}
const outputSize = (a: Args): (number | null)[] | number => a.get("output_size") as (number | null)[] | number;
function adaptiveMax(name: string): Entry {
  return entry("input output_size return_indices", (a) => {
    const size = outputSize(a);
    const wanted = a.flag("return_indices");
    const { y, index } = call<{ y: Value; index: Value }>(`${name}WithIndices`, [a.tensor("input")], size);
    return wanted ? { out: y, indices: index } : y;
  });
}
const adaptiveAverage = (name: string): Entry =>
  entry("input output_size", (a) => call(name, [a.tensor("input")], outputSize(a)));

function interpolate(a: Args): Value {
  const again = a.flag("recompute_scale_factor");
  const x = a.tensor("input");
  const factor = sizes(a, "scale_factor");
  const size = sizes(a, "size");
  const mode = a.word("mode", "nearest").replace("-exact", "Exact");
  const inputs = x.shape.slice(2);
  const fresh = again && factor ? inputs.map((n, i) => Math.floor(n * (factor[i] ?? factor[0]!))) : size;
  const each = (list: number[]) => inputs.map((_, i) => list[i] ?? list[0]!);
  return call("interpolate", [x], {
    ...(fresh ? { size: each(fresh) } : { scaleFactor: factor && each(factor) }),
    mode,
    alignCorners: a.flag("align_corners"),
  });
}

const columns = (a: Args): Value => call("unfoldWindows", [a.tensor("input")], a.numbers("kernel_size"), windows(a));
/** Of a picture, or of one dimension. */
const unfold = entry("input dimension size step", (a) =>
  a.has("kernel_size")
    ? columns(a)
    : call("unfold", [a.tensor("input")], a.number("dimension"), a.number("size"), a.number("step")),
);

export const image: Table = {
  conv1d: conv("conv1d"),
  conv2d: conv("conv2d"),
  conv3d: conv("conv3d"),
  conv_transpose1d: transposed("convTranspose1d"),
  conv_transpose2d: transposed("convTranspose2d"),
  unfold,
  "nn.functional.unfold": entry("input kernel_size dilation padding stride", columns),
  fold: entry("input output_size kernel_size dilation padding stride", (a) =>
    call("foldWindows", [a.tensor("input")], a.numbers("output_size"), a.numbers("kernel_size"), windows(a)),
  ),
  max_pool1d: maxPool("maxPool1d", false),
  max_pool2d: maxPool("maxPool2d", false),
  max_pool2d_indices: maxPool("maxPool2d", true),
  avg_pool1d: avgPool("avgPool1d"),
  avg_pool2d: avgPool("avgPool2d"),
  adaptive_avg_pool1d: adaptiveAverage("adaptiveAvgPool1d"),
  adaptive_avg_pool2d: adaptiveAverage("adaptiveAvgPool2d"),
  adaptive_max_pool1d: adaptiveMax("adaptiveMaxPool1d"),
  adaptive_max_pool2d: adaptiveMax("adaptiveMaxPool2d"),
  lp_pool2d: entry("input norm_type kernel_size stride ceil_mode", (a) =>
    call("lpPool2d", [a.tensor("input")], a.number("norm_type"), a.numbers("kernel_size"), {
      ...windows(a),
      ceilMode: a.flag("ceil_mode"),
    }),
  ),
  interpolate: entry("input size scale_factor mode align_corners recompute_scale_factor", interpolate),
  pixel_shuffle: entry("input upscale_factor", (a) =>
    call("pixelShuffle", [a.tensor("input")], a.number("upscale_factor")),
  ),
  pixel_unshuffle: entry("input downscale_factor", (a) =>
    call("pixelUnshuffle", [a.tensor("input")], a.number("downscale_factor")),
  ),
};
