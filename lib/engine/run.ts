import { operand, value } from "../core/boundary.ts";
import { emptyValue, type Value, viewValue } from "../core/value.ts";
import { launchMap, type Operand } from "./launch.ts";
import type { AnyOp, Spec, Window } from "./op.ts";
import { needsTape, record } from "./tape.ts";

type Named = Record<string, Operand | undefined>;

/** The one door: promote, infer, allocate, kernel, tape. */
export function execute(op: AnyOp, given: Record<string, unknown>, attrs: unknown): unknown {
  const d = op.definition;
  let x: Named;
  let spec: Spec | readonly Spec[];
  try {
    x = (d.prepare ? d.prepare(given as never, attrs) : given) as Named;
    spec = d.infer(x as never, attrs);
  } catch (error) {
    if (error instanceof TypeError) checkInputs(op, given);
    throw error;
  }
  if (Array.isArray(spec)) return several(op, x, attrs, spec as Spec[]);
  const y = d.view
    ? windowOf(x[op.inputs[0] as string] as Value, spec as Window)
    : emptyValue((spec as Spec).shape, (spec as Spec).dtype);
  if (d.kernel) launchRow(op, y, x, attrs);
  else if (d.forward) d.forward({ y } as never, x as never, attrs);
  if (d.grad && needsTape(op, x)) record(op, x, [y], attrs);
  return y;
}

/** Asked only after something went wrong, so that a right call pays nothing for it. */
function checkInputs(op: AnyOp, given: Record<string, unknown>): void {
  for (const name of op.inputs) {
    const x = given[name];
    if (x === undefined && op.definition.inputs.includes(`${name}?`)) continue;
    if (op.definition.kernel) operand(op.name, x, name);
    else value(op.name, name, x);
  }
}

function several(op: AnyOp, x: Named, attrs: unknown, specs: readonly Spec[]): Record<string, Value> {
  const whole = op.definition.view && (x[op.inputs[0] as string] as Value);
  const values = specs.map((s) => (whole ? windowOf(whole, s as Window) : emptyValue(s.shape, s.dtype)));
  const y: Record<string, Value> = {};
  for (let i = 0; i < values.length; i++) y[op.outputs[i] as string] = values[i] as Value;
  op.definition.forward?.(y as never, x as never, attrs);
  if (op.definition.grad && needsTape(op, x)) record(op, x, values, attrs);
  return y;
}

function windowOf(x: Value, w: Window): Value {
  return viewValue(x, w.shape, w.strides, w.offset);
}

/** The row's dtype is that of its first tensor input: comparisons give bool of f32. */
function launchRow(op: AnyOp, y: Value, x: Named, attrs: unknown): void {
  const operands: Operand[] = [y];
  let dtype: string = y.dtype;
  let found = false;
  for (const name of op.inputs) {
    const v = x[name] as Operand;
    operands.push(v);
    if (!found && typeof v !== "number" && v.dtype !== "bool") {
      dtype = v.dtype;
      found = true;
    }
  }
  launchMap(op.definition.kernel as never, dtype, operands, op.definition.scalars?.(attrs));
}
