import { fail, showShape } from "../core/errors.ts";
import { type Graph, isSlot, nameOf, type Slot, type Step } from "./graph.ts";
import type { Recording, Shape } from "./record.ts";

/**
 * Compares two recordings of one step. What differs would be baked into the plan by accident, so it is an error that
 * names the line: other kernels (a branch on data), another number, another tensor, other data from JavaScript.
 */
export function checkSame(first: Recording, second: Recording): void {
  const [a, b] = [first.graph, second.graph];
  const pairs = new Map<Slot, Slot>();
  for (let i = 0; i < Math.max(a.steps.length, b.steps.length); i++) {
    const [s, t] = [a.steps[i], b.steps[i]];
    if (!s || !t || s.row !== t.row) branched(s, t);
    sameSlots(s, t, pairs);
    sameNumbers(s, t);
  }
  sameConstants(a, b, pairs);
  sameReturns(first.returns, second.returns);
}

function refuse(message: string, step: Step | undefined, hint: string): never {
  return fail("ERR_NABLA_COMPILE", "compile", `${message}${step ? `\n  at ${step.where()}` : ""}`, { hint });
}

function branched(s: Step | undefined, t: Step | undefined): never {
  const name = (x: Step | undefined) => (x ? x.kernel.name : "nothing more");
  return refuse(
    `the step ran ${name(s)} in one run and ${name(t)} in the next`,
    t ?? s,
    "a branch depends on something that changes between calls: decide with where(), or pass it as an argument",
  );
}

function sameSlots(s: Step, t: Step, pairs: Map<Slot, Slot>): void {
  s.operands.forEach((x, i) => {
    const y = t.operands[i];
    if (!isSlot(x) || !isSlot(y)) {
      if (isSlot(x) !== isSlot(y) || (x === null) !== (y === null))
        refuse(`${s.kernel.name} took a tensor in one run and a number in the other`, t, "keep its operands alike");
      return;
    }
    const paired = pairs.get(x);
    const rebound =
      x.role !== y.role || (x.role === "state" && x.storage !== y.storage) || (paired !== undefined && paired !== y);
    if (rebound) {
      const label = x.label ? ` (${nameOf(x)})` : "";
      refuse(
        `${s.kernel.name} used another tensor${label} in this run than in the one before`,
        t,
        "a variable is rebound between calls: return its tensor and pass it in. Gradients: call zeroGrad() inside, before backward()",
      );
    }
    pairs.set(x, y);
  });
}

const sameNumber = (a: number, b: number) => Object.is(a, b);

function sameNumbers(s: Step, t: Step): void {
  s.operands.forEach((x, i) => {
    const y = t.operands[i];
    if (typeof x === "number" && typeof y === "number" && !sameNumber(x, y)) baked(s, t, x, y);
  });
  for (let i = 0; i < Math.max(s.words.length, t.words.length); i++) {
    if (!sameNumber(s.words[i], t.words[i])) baked(s, t, s.words[i], t.words[i]);
  }
}

function baked(s: Step, t: Step, x: number | undefined, y: number | undefined): never {
  return refuse(
    `a number of ${s.kernel.name} was ${x} in one run and ${y} in the next; it would be baked in`,
    t,
    "pass it as an argument or keep it in a tensor",
  );
}

function sameConstants(a: Graph, b: Graph, pairs: Map<Slot, Slot>): void {
  for (const slot of a.slots) {
    const other = pairs.get(slot);
    if (slot.role !== "constant" || !other?.data || !slot.data) continue;
    for (let i = 0; i < slot.length; i++) {
      if (sameNumber(slot.data[i], other.data[i])) continue;
      const user = b.steps.find((s) => s.operands.includes(other));
      refuse(
        `a tensor made from JavaScript data held ${slot.data[i]} in one run and ${other.data[i]} in the next; it would be baked in`,
        user,
        "make it outside and pass it as an argument",
      );
    }
  }
}

function sameReturns(a: Shape, b: Shape, path = ""): void {
  const items = (s: Shape) => (s.kind === "list" || s.kind === "record" ? Object.entries(s.items) : []);
  const [p, q] = [items(a), items(b)];
  const leaf = a.kind === b.kind && p.length === q.length && p.every(([k], i) => k === q[i][0]);
  const equal =
    a.kind === "plain" && b.kind === "plain" ? Object.is(a.value, b.value) : showReturn(a) === showReturn(b);
  if (!leaf || !equal)
    refuse(
      `the step returned ${showReturn(a)}${path} in one run and ${showReturn(b)} in the next`,
      undefined,
      "a step returns tensors, in the same places each time; anything else is baked in",
    );
  p.forEach(([k, x], i) => {
    sameReturns(x, q[i][1], `${path}.${k}`.replace(/^\./, " as "));
  });
}
function showReturn(s: Shape): string {
  if (s.kind === "tensor") return `a tensor ${s.dtype} ${showShape(s.shape)}`;
  if (s.kind === "plain") return String(s.value);
  return s.kind === "list" ? "a list" : `{ ${Object.keys(s.items).join(", ")} }`;
}
