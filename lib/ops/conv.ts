// Convolution, and its gradients by input and by weight. The gradients of each of the three are the other two, so they
// differentiate to any order; a transposed convolution is the gradient by the input taken as a function of its own.
import { only } from "../core/boundary.ts";
import { fail, showShape } from "../core/errors.ts";
import { type Value, wrapArray } from "../core/value.ts";
import { launch, walk } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { rowOf } from "../engine/precision.ts";
import { K } from "../native.gen.ts";
import { contiguous } from "./arithmetic.ts";
import { plus } from "./formula.ts";
import { pad } from "./pad.ts";
import { sum } from "./reduce.ts";
import { permute, reshape, select, slice, squeeze, unsqueeze } from "./view.ts";
import { checkWindow, type Pair, pairOf, type Sizes } from "./window.ts";

/** Everything that is known of a convolution besides its numbers: inputs [h, w], window [k, l], outputs [p, q]. */
interface Sliding {
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
  readonly inputs: Pair;
  readonly window: Pair;
  readonly outputs: Pair;
}
const scalars = ({ stride, padding, dilation }: Sliding): number[] => [...stride, ...padding, ...dilation];
/** Rows first, so that nothing is copied. */
const perChannel = (gy: Value): Value => sum(sum(gy, [2, 3]), 0);
const flat = (bias: Value | undefined): Value | null => (bias ? contiguous(bias) : null);

const plain: Sliding = {
  stride: [1, 1],
  padding: [1, 0],
  dilation: [1, 1],
  groups: 1,
  inputs: [4, 5],
  window: [3, 2],
  outputs: [4, 4],
};
const grouped: Sliding = {
  stride: [2, 3],
  padding: [2, 1],
  dilation: [2, 1],
  groups: 2,
  inputs: [7, 6],
  window: [3, 3],
  outputs: [4, 2],
};
const deep: Sliding = { ...plain, padding: [1, 1], inputs: [3, 17], window: [3, 3], outputs: [3, 17] };

/** y[n, o, i] = bias[o] + sum over f, k of weight[o, f, k] x[n, f, i stride + k dilation - padding], the f of o's group */
const convOp = op({
  name: "conv",
  inputs: ["x", "weight", "bias?"],
  keep: ["x", "weight"],
  infer: ({ x, weight }, { outputs }: Sliding): Spec => ({
    shape: [x.shape[0], weight.shape[0], ...outputs],
    dtype: x.dtype,
  }),
  forward({ y }, { x, weight, bias }, s) {
    if (y.size === 0) return;
    const extents = [...y.shape, ...x.shape.slice(1), ...weight.shape.slice(1)];
    // In bf16 only where terms have another to share a pair with, here and below.
    const row = weight.shape[1] > 1 ? rowOf(y.dtype, K.conv, K.conv_bf16) : K.conv;
    launch(row, y.dtype, extents, [walk(y), walk(x), walk(weight), flat(bias)], scalars(s));
  },
  grad: {
    x: (gy, { weight }, s): Value => convInput({ dy: gy, weight }, s),
    weight: (gy, { x }, s): Value => convWeight({ dy: gy, x }, s),
    bias: (gy): Value => perChannel(gy),
  },
  cases: [
    { inputs: { x: [2, 3, 4, 5], weight: [2, 3, 3, 2], bias: [2] }, attrs: plain },
    { inputs: { x: [2, 4, 7, 6], weight: [6, 2, 3, 3] }, attrs: grouped },
    { inputs: { x: [2, 2, 3, 17], weight: [3, 2, 3, 3] }, attrs: deep, order: 1 },
  ],
});

/** in the forward pass: y is linear in x; so now: dx[n, c, a] = sum over o, k, i with a = i stride + k dilation - padding of w dy */
const convInput = op({
  name: "conv_input",
  inputs: ["dy", "weight", "bias?"],
  keep: ["dy", "weight"],
  infer: ({ dy, weight }, { groups, inputs }: Sliding): Spec => ({
    shape: [dy.shape[0], weight.shape[1] * groups, ...inputs],
    dtype: dy.dtype,
  }),
  forward({ y }, { dy, weight, bias }, s) {
    if (y.size === 0) return;
    const extents = [...y.shape, ...dy.shape.slice(1), ...weight.shape.slice(1)];
    const row = weight.shape[0] > s.groups ? rowOf(y.dtype, K.conv_input, K.conv_input_bf16) : K.conv_input;
    launch(row, y.dtype, extents, [walk(y), walk(dy), walk(weight), flat(bias)], scalars(s));
  },
  grad: {
    dy: (gy, { weight }, s): Value => convOp({ x: gy, weight }, s),
    weight: (gy, { dy }, s): Value => convWeight({ dy, x: gy }, s),
    bias: (gy): Value => perChannel(gy),
  },
  cases: [
    { inputs: { dy: [2, 2, 4, 4], weight: [2, 3, 3, 2], bias: [3] }, attrs: plain },
    { inputs: { dy: [2, 6, 4, 2], weight: [6, 2, 3, 3] }, attrs: grouped },
    { inputs: { dy: [2, 3, 3, 17], weight: [3, 2, 3, 3] }, attrs: deep, order: 1 },
  ],
});

/** so now: dw[o, f, k] = sum over n, i of dy[n, o, i] x[n, f, i stride + k dilation - padding] */
const convWeight = op({
  name: "conv_weight",
  inputs: ["dy", "x"],
  keep: ["dy", "x"],
  infer: ({ dy, x }, { groups, window }: Sliding): Spec => ({
    shape: [dy.shape[1], x.shape[1] / groups, ...window],
    dtype: dy.dtype,
  }),
  forward({ y }, { dy, x }, s) {
    if (y.size === 0) return;
    const [n, o, p, q] = dy.shape;
    // Few outputs or few taps: the f32 kernel has positions across its lanes, which pairs of images do not make faster.
    const many = o > 4 * s.groups && (y.size > 16 * o || q <= 8);
    launch(
      n > 1 && many ? rowOf(y.dtype, K.conv_weight, K.conv_weight_bf16) : K.conv_weight,
      y.dtype,
      [...y.shape, n, p, q, ...x.shape.slice(1)],
      [walk(y), walk(dy), walk(x)],
      scalars(s),
    );
  },
  grad: {
    dy: (gy, { x }, s): Value => convOp({ x, weight: gy }, s),
    x: (gy, { dy }, s): Value => convInput({ dy, weight: gy }, s),
  },
  cases: [
    { inputs: { dy: [2, 2, 4, 4], x: [2, 3, 4, 5] }, attrs: plain },
    { inputs: { dy: [2, 6, 4, 2], x: [2, 4, 7, 6] }, attrs: grouped },
    { inputs: { dy: [2, 3, 3, 17], x: [2, 2, 3, 17] }, attrs: deep, order: 1 },
  ],
});

/** Options of a convolution; a single number stands for every dimension. */
export interface ConvOptions {
  readonly stride?: Sizes | undefined;
  /** Zeros on both sides; "same" for as many results as inputs (stride 1), "valid" for none. */
  readonly padding?: Sizes | "same" | "valid" | undefined;
  readonly dilation?: Sizes | undefined;
  readonly groups?: number | undefined;
}
export interface ConvTransposeOptions extends Omit<ConvOptions, "padding"> {
  readonly padding?: Sizes | undefined;
  /** Rows and columns added at the end, of several inputs that would give the same size. */
  readonly outputPadding?: Sizes | undefined;
}
const convNames = ["stride", "padding", "dilation", "groups"] as const;
const turnedNames = ["outputPadding", ...convNames] as const;

interface Given {
  readonly op: string;
  readonly x: Value;
  readonly weight: Value;
  readonly bias: Value | undefined;
}
/** Ranks, dtypes, groups and bias. weight is [outs, ins, ...window] with `ins` channels of x a group on axis `side`. */
function checkOperands({ op, x, weight, bias }: Given, rank: number, groups: number, turned: boolean): void {
  const values = { x, weight, bias };
  const form = rank === 1 ? "[batch, channels, length]" : "[batch, channels, height, width]";
  if (x.ndim !== rank + 2)
    fail("ERR_NABLA_SHAPE", op, `needs ${form}, with or without the batch, got ${showShape(x.shape)}`, { values });
  if (weight.ndim !== rank + 2)
    fail("ERR_NABLA_SHAPE", op, `the weight needs ${rank + 2} dimensions, got ${showShape(weight.shape)}`, { values });
  for (const v of [x, weight, bias])
    if (v && (!v.isFloat || v.dtype !== x.dtype))
      fail("ERR_NABLA_DTYPE", op, `input is ${x.dtype}, weight or bias ${(v === x ? weight : v).dtype}`, {
        values,
        expected: weight.dtype,
        actual: x.dtype,
        hint: `cast the input: x.to("${weight.dtype}")`,
      });
  const channels = x.shape[1];
  if (!Number.isInteger(groups) || groups < 1)
    fail("ERR_NABLA_VALUE", op, `groups must be a whole number from 1, got ${groups}`, { values, actual: groups });
  const [split, whole] = turned ? [channels, weight.shape[0]] : [weight.shape[0], weight.shape[1] * groups];
  if (channels % groups !== 0 || split % groups !== 0)
    fail(
      "ERR_NABLA_VALUE",
      op,
      `${groups} groups do not divide ${channels % groups ? `${channels} channels` : `${split} outputs`}`,
      { values, actual: groups },
    );
  if (whole !== channels)
    fail("ERR_NABLA_SHAPE", op, `the weight is for ${whole} channels, the input has ${channels}`, {
      values,
      expected: whole,
      actual: channels,
    });
  const outs = turned ? weight.shape[1] * groups : weight.shape[0];
  if (bias && (bias.ndim !== 1 || bias.size !== outs))
    fail("ERR_NABLA_SHAPE", op, `the bias must be [${outs}], got ${showShape(bias.shape)}`, { values });
}

/** What is added at both ends, and one more at the end where "same" of an even window asks for it. */
function paddingOf(op: string, padding: ConvOptions["padding"], window: Pair, dilation: Pair, stride: Pair) {
  if (padding === "valid") return { sides: [0, 0] as Pair, more: [0, 0] as Pair };
  if (padding !== "same") return { sides: pairOf(op, "padding", padding, 0, 0), more: [0, 0] as Pair };
  if (stride[0] !== 1 || stride[1] !== 1)
    fail("ERR_NABLA_VALUE", op, 'padding "same" needs stride 1', { actual: stride });
  const total = window.map((k, i) => dilation[i] * (k - 1));
  return {
    sides: total.map((t) => Math.floor(t / 2)) as unknown as Pair,
    more: total.map((t) => t % 2) as unknown as Pair,
  };
}

/** Rows of zeros, so that what has no height convolves as what has. */
const withHeight = (x: Value): Value => unsqueeze(x, x.ndim - 1);
const lead = (option: Sizes | undefined, value: number): Sizes | undefined =>
  option === undefined ? undefined : [value, ...(typeof option === "number" ? [option] : option)];

function convolve(given: Given, options: ConvOptions): Value {
  const { op, x, weight, bias } = given;
  const { groups = 1 } = options;
  checkOperands(given, 2, groups, false);
  const window: Pair = [weight.shape[2], weight.shape[3]];
  const stride = pairOf(op, "stride", options.stride, 1);
  const dilation = pairOf(op, "dilation", options.dilation, 1);
  const { sides, more } = paddingOf(op, options.padding, window, dilation, stride);
  const inputs: Pair = [x.shape[2], x.shape[3]];
  const outputs = ([0, 1] as const).map((i) => {
    const room = inputs[i] + 2 * sides[i] + more[i];
    checkWindow(op, { room, taps: window[i], dilation: dilation[i], padding: sides[i], x });
    return Math.floor((room - dilation[i] * (window[i] - 1) - 1) / stride[i]) + 1;
  }) as unknown as Pair;
  return convOp({ x, weight, bias }, { stride, padding: sides, dilation, groups, inputs, window, outputs });
}

/** f of a batch, also for one without the batch dimension. */
function batched(x: Value, rank: number, f: (x: Value) => Value): Value {
  return x.ndim === rank + 1 ? squeeze(f(unsqueeze(x, 0)), 0) : f(x);
}

/** x [n, c, h, w] or [c, h, w], weight [o, c / groups, k, l], bias [o]: [n, o, p, q] */
export function conv2d(x: Value, weight: Value, bias?: Value, options: ConvOptions = {}): Value {
  only("conv2d", options, convNames);
  return batched(x, 2, (batch) => convolve({ op: "conv2d", x: batch, weight, bias }, options));
}
/** x [n, c, l] or [c, l], weight [o, c / groups, k], bias [o]: [n, o, p] */
export function conv1d(x: Value, weight: Value, bias?: Value, options: ConvOptions = {}): Value {
  only("conv1d", options, convNames);
  return batched(x, 1, (batch) => {
    const given = { op: "conv1d", x: batch, weight, bias };
    checkOperands(given, 1, options.groups ?? 1, false);
    const { padding } = options;
    const flatOptions = {
      ...options,
      stride: lead(options.stride, 1),
      dilation: lead(options.dilation, 1),
      padding: typeof padding === "string" ? padding : lead(padding, 0),
    };
    return squeeze(convolve({ ...given, x: withHeight(batch), weight: withHeight(weight) }, flatOptions), 2);
  });
}
/** x [n, c, d, h, w], weight [o, c / groups, j, k, l]: the sum over the window's depth of convolutions of slices */
export function conv3d(
  x: Value,
  weight: Value,
  bias?: Value,
  {
    stride = 1,
    padding = 0,
    dilation = 1,
    groups = 1,
  }: { [P in "stride" | "padding" | "dilation" | "groups"]?: number } = {},
): Value {
  if (x.ndim !== 5 || weight.ndim !== 5)
    fail("ERR_NABLA_SHAPE", "conv3d", "needs [batch, channels, depth, height, width]", { values: { x, weight } });
  const [n, , , h, w] = x.shape;
  const deep = padding > 0 ? pad(x, [0, 0, 0, 0, padding, padding]) : x;
  const reach = dilation * (weight.shape[2] - 1);
  checkWindow("conv3d", { room: deep.shape[2], taps: weight.shape[2], dilation, padding, x });
  const depth = Math.floor((deep.shape[2] - reach - 1) / stride) + 1;
  const layers = Array.from({ length: weight.shape[2] }, (_, j) => {
    const part = slice(deep, 2, j * dilation, j * dilation + (depth - 1) * stride + 1, stride);
    const images = reshape(permute(part, [0, 2, 1, 3, 4]), [n * depth, x.shape[1], h, w]);
    return conv2d(images, select(weight, 2, j), j === 0 ? bias : undefined, { stride, padding, dilation, groups });
  });
  const y = layers.reduce(plus);
  return permute(reshape(y, [n, depth, ...y.shape.slice(1)]), [0, 2, 1, 3, 4]);
}

function transposed(given: Given, options: ConvTransposeOptions): Value {
  const { op, x, weight, bias } = given;
  const { groups = 1 } = options;
  checkOperands(given, 2, groups, true);
  const window: Pair = [weight.shape[2], weight.shape[3]];
  const stride = pairOf(op, "stride", options.stride, 1);
  const dilation = pairOf(op, "dilation", options.dilation, 1);
  const padding = pairOf(op, "padding", options.padding, 0, 0);
  const more = pairOf(op, "outputPadding", options.outputPadding, 0, 0);
  const outputs: Pair = [x.shape[2], x.shape[3]];
  const inputs = ([0, 1] as const).map((i) => {
    if (more[i] >= Math.max(stride[i], dilation[i]))
      fail("ERR_NABLA_VALUE", op, `outputPadding ${more[i]} must be less than stride or dilation`, {
        expected: Math.max(stride[i], dilation[i]) - 1,
        actual: more[i],
      });
    const size = (outputs[i] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (window[i] - 1) + more[i] + 1;
    if (size < 1 || window[i] < 1)
      fail("ERR_NABLA_SHAPE", op, `padding ${padding[i]} leaves an output of size ${size}`, { values: { x, weight } });
    checkWindow(op, { room: size + 2 * padding[i], taps: window[i], dilation: dilation[i], padding: padding[i], x });
    return size;
  }) as unknown as Pair;
  return convInput({ dy: x, weight, bias }, { stride, padding, dilation, groups, inputs, window, outputs });
}
/** x [n, c, h, w] or [c, h, w], weight [c, o / groups, k, l], bias [o] */
export function convTranspose2d(x: Value, weight: Value, bias?: Value, options: ConvTransposeOptions = {}): Value {
  only("convTranspose2d", options, turnedNames);
  return batched(x, 2, (batch) => transposed({ op: "convTranspose2d", x: batch, weight, bias }, options));
}
/** x [n, c, l] or [c, l], weight [c, o / groups, k], bias [o] */
export function convTranspose1d(x: Value, weight: Value, bias?: Value, options: ConvTransposeOptions = {}): Value {
  only("convTranspose1d", options, turnedNames);
  return batched(x, 1, (batch) => {
    const given = { op: "convTranspose1d", x: batch, weight, bias };
    checkOperands(given, 1, options.groups ?? 1, true);
    const { stride, padding, dilation, outputPadding } = options;
    return squeeze(
      transposed(
        { ...given, x: withHeight(batch), weight: withHeight(weight) },
        {
          ...options,
          stride: lead(stride, 1),
          dilation: lead(dilation, 1),
          padding: lead(padding, 0),
          outputPadding: lead(outputPadding, 0),
        },
      ),
      2,
    );
  });
}

type UnfoldOptions = Pick<ConvTransposeOptions, "stride" | "padding" | "dilation">;
/** A filter for each place of a window, which lets that one value through: [k l, 1, k, l] */
function places([k, l]: Pair, { dtype }: Value): Value {
  const ones = Float64Array.from({ length: (k * l) ** 2 }, (_, i) => Number(i % (k * l + 1) === 0));
  return wrapArray(dtype === "f64" ? ones : Float32Array.from(ones), [k * l, 1, k, l], dtype);
}
/** Windows of x [n, c, h, w] as columns: [n, c k l, positions]. `torch.nn.functional.unfold`. */
export function unfoldWindows(x: Value, kernel: Sizes, options: UnfoldOptions = {}): Value {
  if (x.ndim === 3) return squeeze(unfoldWindows(unsqueeze(x, 0), kernel, options), 0);
  if (x.ndim !== 4)
    fail("ERR_NABLA_SHAPE", "unfold", `needs [batch, channels, height, width], got ${showShape(x.shape)}`, {
      values: { x },
    });
  const window = pairOf("unfold", "kernel", kernel, 1);
  const [n, c, h, w] = x.shape;
  const y = conv2d(reshape(x, [n * c, 1, h, w]), places(window, x), undefined, options);
  return reshape(y, [n, c * y.shape[1], y.shape[2] * y.shape[3]]);
}
/** Columns [n, c k l, positions] added up where their windows lie: [n, c, h, w]. `torch.nn.functional.fold`. */
export function foldWindows(x: Value, size: Sizes, kernel: Sizes, options: UnfoldOptions = {}): Value {
  if (x.ndim === 2) return squeeze(foldWindows(unsqueeze(x, 0), size, kernel, options), 0);
  const inputs = pairOf("fold", "size", size, 1);
  const window = pairOf("fold", "kernel", kernel, 1);
  const stride = pairOf("fold", "stride", options.stride, 1);
  const dilation = pairOf("fold", "dilation", options.dilation, 1);
  const padding = pairOf("fold", "padding", options.padding, 0, 0);
  const outputs = ([0, 1] as const).map((i) => {
    checkWindow("fold", {
      room: inputs[i] + 2 * padding[i],
      taps: window[i],
      dilation: dilation[i],
      padding: padding[i],
      x,
    });
    return Math.floor((inputs[i] + 2 * padding[i] - dilation[i] * (window[i] - 1) - 1) / stride[i]) + 1;
  }) as unknown as Pair;
  const taps = window[0] * window[1];
  if (x.ndim !== 3 || x.shape[1] % taps !== 0 || x.shape[2] !== outputs[0] * outputs[1])
    fail("ERR_NABLA_SHAPE", "fold", `${showShape(x.shape)} are not columns of windows`, {
      values: { x },
      expected: ["batch", `channels * ${taps}`, outputs[0] * outputs[1]],
      actual: x.shape,
    });
  const [n, rows] = x.shape;
  const y = convInput(
    { dy: reshape(x, [(n * rows) / taps, taps, ...outputs]), weight: places(window, x) },
    { stride, padding, dilation, groups: 1, inputs, window, outputs },
  );
  return reshape(y, [n, rows / taps, ...inputs]);
}
