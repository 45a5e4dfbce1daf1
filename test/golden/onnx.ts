// The ONNX backend's node tests: one node, its inputs and its outputs on a line.
import { join } from "node:path";
import { numel } from "../../lib/core/shape.ts";
import { Value } from "../../lib/core/value.ts";
import { cast } from "../../lib/ops/index.ts";
import type { Arg } from "./args.ts";
import { byName } from "./case.ts";
import { compare, type Tolerance } from "./comparison.ts";
import { Miss, type Report, Skip } from "./outcome.ts";
import { decode, dtypeName, type Encoded, readLines, type Stored } from "./reader.ts";
import { onnx as table } from "./table/onnx.ts";
import { dtypeOf, fromStored, numbers, widened } from "./values.ts";

interface Node {
  readonly name: string;
  readonly op: string;
  readonly attrs: Readonly<Record<string, Arg>>;
  readonly inputs: readonly (Encoded | null)[];
  readonly outputs: readonly (Encoded | null)[];
  readonly opset: number;
  readonly rtol: number;
  readonly atol: number;
}

const whole = (dtype: string) => dtype !== "f32" && dtype !== "f64";

/**
 * Nodes that run on 16-bit floats, which are read as f32, exactly. Results are compared as f32, by the tolerance of the case and
 * no other. bf16 is a tensor of bf16, so that the table can tell; f16 is no dtype of the library.
 */
const halves = new Set(["Attention"]);
const read = (op: string, x: Encoded): Stored => (halves.has(op) ? widened(decode(x)) : decode(x));
function input(op: string, x: Encoded): Value {
  const value = fromStored(read(op, x));
  return halves.has(op) && dtypeName(x.dtype) === "bf16" ? cast(value, "bf16") : value;
}

function check(got: Value | undefined, encoded: Encoded, { op, rtol, atol }: Node): void {
  const ref = read(op, encoded);
  const dtype = dtypeOf(ref.dtype);
  if (!got) throw new Miss(`no output ${encoded.name}`);
  if (`${got.shape}` !== `${ref.shape}`) throw new Miss(`shape [${got.shape}], expected [${ref.shape}]`);
  if (got.dtype === "i32" && dtype === "u8") throw new Skip("u8 is computed as i32");
  if (got.dtype !== dtype) throw new Miss(`${got.dtype}, expected ${dtype}`);
  const tolerance: Tolerance = whole(dtype) ? { mode: "exact" } : { mode: "close", atol, rtol };
  const miss = numel(got.shape) === 0 ? undefined : compare(numbers(got), ref.data, tolerance);
  if (miss) throw new Miss(miss);
}

function run(c: Node): void {
  const inputs = c.inputs.flatMap((x, i) => (x ? [[`x${i}`, input(c.op, x)] as const] : []));
  const expected = c.outputs.flatMap((y, i) => (y ? [[i, y] as const] : []));
  for (const [, y] of expected) dtypeOf(read(c.op, y).dtype);
  const counts: [string, Arg][] = [
    ["opset", c.opset],
    ["outputs", c.outputs.length],
  ];
  const result = byName(table, c.op, [...inputs, ...Object.entries(c.attrs), ...counts]);
  const outputs = result instanceof Value ? [result] : Object.values(result);
  for (const [i, y] of expected) check(outputs[i], y, c);
}

/** Runs onnx/NAME.jsonl. */
export async function onnx(at: string, name: string, report: Report): Promise<void> {
  for (const c of readLines<Node>(join(at, "onnx", `${name}.jsonl`)))
    await report.run(`onnx/${name}`, c.name, c.op, () => run(c));
}
