// How far f32 kernels are from the true values: functions in units of the last place over all floats, products as a share
// of the error that their length allows.
import { rand, type Tensor } from "nabla";
import { native } from "../lib/core/native.ts";
import { Blas, type Shape } from "./blas.ts";
import type { Found } from "./kernels.ts";
import type { Table } from "./report.ts";

/** Every 4093rd float by its bits: all signs and exponents. And 200,000 evenly in [-24, 24). */
function floats(): Float32Array {
  const bits = new Uint32Array(Math.floor(2 ** 32 / 4093));
  for (let i = 0; i < bits.length; i++) bits[i] = i * 4093;
  const near = Float32Array.from({ length: 200_000 }, (_, i) => 48 * (i / 200_000 - 0.5));
  return Float32Array.from([new Float32Array(bits.buffer), near].flatMap((x) => [...x]).filter(Number.isFinite));
}
/** The spacing of floats at x; below 2^-126 it no longer shrinks. */
const spacing = (x: number): number => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), -126) - 23);

function mapped(row: number, y: Float32Array | Float64Array, x: Float32Array | Float64Array): void {
  native.words.set([1, x.length, 0, 1, 0, 1]);
  native.run(row, 6, y, x);
}

/** The functions of one argument, against the C library in double precision. */
function functions(): (string | number)[][] {
  const x = floats();
  const [wide, y, truth] = [Float64Array.from(x), new Float32Array(x.length), new Float64Array(x.length)];
  const alone = native.rows.map((row, id) => ({ ...row, id })).filter((r) => r.params === "(Out<T> y, In<T> x)");
  const found: (string | number)[][] = [];
  for (const { name, id } of alone.filter((r) => r.dtype === "f32")) {
    const twin = alone.find((r) => r.name === name && r.dtype === "f64");
    if (!twin) continue;
    mapped(id, y, x);
    mapped(twin.id, truth, wide);
    let [most, at, wrong] = [0, 0, 0];
    for (let i = 0; i < x.length; i++) {
      const [got, ref] = [y[i]!, truth[i]!];
      if (Object.is(got, Math.fround(ref)) || got === ref) continue;
      if (!(Number.isFinite(got) && Number.isFinite(ref))) {
        if (!(Number.isNaN(got) && Number.isNaN(ref))) wrong++;
        continue;
      }
      const error = Math.abs(got - ref) / spacing(ref);
      if (error > most) [most, at] = [error, x[i]!];
    }
    if (most > 0.5 || wrong > 0) found.push([name, most.toFixed(2), at.toPrecision(4), wrong]);
  }
  return found;
}

/** Of operands from -1/2 to 1/2, the largest error of a product in units of 2^-24 sum |a| |b|, and the mean of all. */
function errors([m, n, k]: Shape): number[] {
  const [a, b] = [rand(m, k).sub(0.5), rand(k, n).sub(0.5)] as [Tensor, Tensor];
  const wide = (x: Tensor): Tensor => x.to("f64") as Tensor;
  const c = a.matmul(b as never).dataSync();
  const truth = wide(a)
    .matmul(wide(b) as never)
    .dataSync();
  const size = wide(a)
    .abs()
    .matmul(wide(b).abs() as never)
    .dataSync();
  let [most, sum] = [0, 0];
  for (let i = 0; i < c.length; i++) {
    const error = Math.abs(Number(c[i]) - Number(truth[i])) / (2 ** -24 * Number(size[i]));
    most = Math.max(most, error);
    sum += error;
  }
  return [most, sum / c.length];
}

const shapes: readonly Shape[] = [
  [64, 64, 64, "NN"],
  [128, 128, 784, "NN"],
  [64, 64, 4096, "NN"],
  [64, 64, 20_000, "NN"],
];
/** Products beside those of other libraries. */
async function products(): Promise<Table> {
  const { peers, absent } = await Blas.all(1);
  const rows: (string | number)[][] = [];
  for (const shape of shapes) {
    const found = [errors(shape)];
    for (const peer of peers) found.push(await peer.errors(shape));
    rows.push([shape.slice(0, 3).join("x"), ...found.flat().map((x) => x.toFixed(3))]);
  }
  for (const peer of peers) peer.stop();
  const names = ["nabla", ...peers.map(({ name }) => name)];
  const columns = ["shape", ...names.flatMap((name) => [`${name}: largest`, "mean"])];
  return { title: "GEMM, f32: error in units of 2^-24 sum |a| |b|", columns, rows, notes: absent };
}

export async function accuracy(): Promise<Found> {
  const ulps = functions();
  const title = "Functions, f32: largest error over all floats, in units of the last place; those beyond half a unit";
  const columns = ["function", "ulp", "at", "infinite or NaN where the true value is not"];
  return {
    tables: [{ title, columns, rows: ulps }, await products()],
    bars: [],
    figures: Object.fromEntries(ulps.map(([name, most]) => [`ulp ${name}`, Number(most)])),
  };
}
