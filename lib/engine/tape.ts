import type { DType } from "../core/dtype.ts";
import { fail, showShape } from "../core/errors.ts";
import { isDense } from "../core/layout.ts";
import { type Dims, sameShape } from "../core/shape.ts";
import { type Storage, storagesMade } from "../core/storage.ts";
import type { Origin, Value } from "../core/value.ts";
import type { Operand } from "./launch.ts";
import type { AnyOp, Onto } from "./op.ts";
import { type Precision, precision, withPrecision } from "./precision.ts";

/** Where a gradient goes: an output of an earlier node, or a leaf. */
interface Edge {
  readonly node: Node | null;
  readonly index: number;
  readonly leaf: Value | null;
  readonly shape: Dims;
  readonly dtype: DType;
}
export interface Kept {
  readonly value: Operand | undefined;
  readonly version: number;
}

let clock = 0;

/** One op that ran: its edges, what its rules read, its attributes. Nodes made later have higher ids. */
export class Node implements Origin {
  readonly id: number = clock++;
  readonly op: AnyOp;
  readonly edges: readonly (Edge | null)[];
  readonly attrs: unknown;
  readonly outputs: readonly { readonly shape: Dims; readonly dtype: DType }[];
  kept: Record<string, Kept> | null;
  /** Of its products, and so of those of its gradients. */
  readonly precision: Precision = precision();
  /** Computes kept again, where a checkpoint did not store it. */
  restore: (() => void) | null = null;
  /** Outputs whose gradient is to be left in .grad although they are not leaves. */
  retained: Value[] = [];

  constructor(
    op: AnyOp,
    edges: readonly (Edge | null)[],
    attrs: unknown,
    outputs: readonly Value[],
    kept: Record<string, Kept>,
  ) {
    this.op = op;
    this.edges = edges;
    this.attrs = attrs;
    this.outputs = outputs.map(({ shape, dtype }) => ({ shape, dtype }));
    this.kept = kept;
  }
  get name(): string {
    return this.op.name;
  }
}

let enabled = true;
export function gradEnabled(): boolean {
  return enabled;
}
/** Runs f with the tape on or off; restores what was before, also when f throws. */
export function withGrad<R>(on: boolean, f: () => R): R {
  const before = enabled;
  enabled = on;
  try {
    return f();
  } finally {
    enabled = before;
  }
}

let listener: ((node: Node) => void) | null = null;
/** Runs f and tells which nodes it recorded. */
export function collect<R>(f: () => R): { readonly result: R; readonly nodes: Node[] } {
  const nodes: Node[] = [];
  const before = listener;
  listener = (node) => {
    nodes.push(node);
    before?.(node);
  };
  try {
    return { result: f(), nodes };
  } finally {
    listener = before;
  }
}

export function needsTape(op: AnyOp, x: Record<string, Operand | undefined>): boolean {
  if (!enabled) return false;
  for (const name of op.inputs) {
    const v = x[name];
    if (typeof v === "object" && v.requiresGrad) return true;
  }
  return false;
}

export function record(
  op: AnyOp,
  x: Record<string, Operand | undefined>,
  outputs: readonly Value[],
  attrs: unknown,
): void {
  const edges = op.inputs.map((name): Edge | null => {
    const v = x[name];
    if (typeof v !== "object" || !v.requiresGrad) return null;
    return { node: v.node as Node | null, index: v.index, leaf: v.node ? null : v, shape: v.shape, dtype: v.dtype };
  });
  const kept: Record<string, Kept> = {};
  for (const name of op.keep) {
    const at = op.outputs.indexOf(name);
    const value = at >= 0 ? outputs[at] : x[name];
    kept[name] = { value, version: typeof value === "object" ? value.storage.version : 0 };
  }
  const node = new Node(op, edges, attrs, outputs, kept);
  listener?.(node);
  outputs.forEach((y, i) => {
    if (!y.isFloat) return;
    y.node = node;
    y.index = i;
    y.requiresGrad = true;
  });
}

/** What the tape needs of ops, given from above: addition, zeros, the sum of a gradient down to a broadcast input's shape. */
export interface Arithmetic {
  add(a: Value, b: Value): Value;
  zeros(shape: Dims, dtype: DType): Value;
  sumTo(x: Value, shape: Dims): Value;
  copy(x: Value): Value;
  cast(x: Value, dtype: DType): Value;
}
let arithmetic: Arithmetic;
export function useArithmetic(a: Arithmetic): void {
  arithmetic = a;
}

export interface WalkOptions {
  /** Keep what the rules read, so that backward can run again. */
  retain?: boolean;
  /** Record the gradients themselves, for higher order. */
  createGraph?: boolean;
}

/**
 * The backward walk from outputs with their gradients. With targets, returns their gradients (undefined where none
 * flows) and touches no .grad; without, adds to .grad of every leaf.
 */
export function walk(
  roots: readonly { value: Value; grad: Value }[],
  targets: readonly Value[] | null,
  options: WalkOptions = {},
): (Value | undefined)[] {
  const { retain = options.createGraph ?? false, createGraph = false } = options;
  const flowing = new Map<Node, (Value | undefined)[]>();
  const leaves = new Map<Value, Value>();
  const found = new Map<Value, Value>();
  const held = new Set(roots.map(({ grad }) => grad.storage));
  const born = createGraph ? Number.POSITIVE_INFINITY : storagesMade();
  const sum = (before: Value | undefined, g: Value | Onto): Value => {
    if (typeof g === "function") return g(before);
    return before ? arithmetic.add(before, g) : g;
  };
  const deliver: Deliver = (node, index, leaf, g) => {
    if (node) {
      const slots = flowing.get(node) ?? [];
      slots[index] = sum(slots[index], g);
      flowing.set(node, slots);
    } else if (leaf) leaves.set(leaf, sum(leaves.get(leaf), g));
  };
  withGrad(createGraph, () => {
    for (const { value, grad } of roots)
      deliver(value.node as Node | null, value.index, value.node ? null : value, grad);
    const wanted = wantedByNode(targets);
    for (const node of reachable(roots)) {
      const gy = flowing.get(node);
      if (!gy) continue;
      flowing.delete(node);
      for (const t of wanted.get(node) ?? []) if (gy[t.index]) found.set(t, gy[t.index] as Value);
      for (const t of node.retained) if (gy[t.index]) keepGrad(t, gy[t.index] as Value, held, born);
      withPrecision(node.precision, () => differentiate(node, gy, deliver));
      if (!retain) node.kept = node.restore = null;
    }
  });
  if (targets) return targets.map((t) => (t.node ? found.get(t) : leaves.get(t)));
  withGrad(createGraph, () => {
    for (const [leaf, g] of leaves) keepGrad(leaf, g, held, born);
  });
  return [];
}

/**
 * Adds g to the gradient of x. Clipping writes in gradients, so memory that another gradient holds is copied, and so is a view,
 * except one of all that a storage made by this walk holds: nothing else is left to see it.
 */
function keepGrad(x: Value, g: Value, held: Set<Storage>, born: number): void {
  const shared = held.has(g.storage) || (g.isView && !(g.storage.serial >= born && isDense(g.shape, g.strides)));
  if (x.grad) x.grad = arithmetic.add(x.grad, g);
  else x.grad = shared ? arithmetic.copy(g) : g;
  held.add(x.grad.storage);
}

function wantedByNode(targets: readonly Value[] | null): Map<Node, Value[]> {
  const wanted = new Map<Node, Value[]>();
  for (const t of targets ?? []) {
    if (!t.node) continue;
    const list = wanted.get(t.node as Node);
    if (list) list.push(t);
    else wanted.set(t.node as Node, [t]);
  }
  return wanted;
}

/** Every node behind the roots, latest first. No recursion: a chain may be 100,000 long. */
function reachable(roots: readonly { value: Value }[]): Node[] {
  const seen = new Set<Node>();
  const stack: Node[] = [];
  for (const { value } of roots) if (value.node) stack.push(value.node as Node);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const e of node.edges) if (e?.node && !seen.has(e.node)) stack.push(e.node);
  }
  return [...seen].sort((a, b) => b.id - a.id);
}

type Rules = Record<string, (gy: unknown, kept: unknown, attrs: unknown) => Value | Onto | undefined>;
type Deliver = (node: Node | null, index: number, leaf: Value | null, g: Value | Onto) => void;

function differentiate(node: Node, gy: (Value | undefined)[], deliver: Deliver): void {
  const { op } = node;
  const kept = keptValues(node);
  const grad = op.definition.grad as unknown;
  const single = op.outputs.length === 1;
  const upstream = single ? gy[0] : Object.fromEntries(op.outputs.map((name, i) => [name, gy[i]]));
  const needs = (name: string) => node.edges[op.inputs.indexOf(name)] !== null;
  const all =
    typeof grad === "function" ? (grad(upstream, kept, node.attrs, needs) as Record<string, Value | undefined>) : null;
  op.inputs.forEach((name, i) => {
    const edge = node.edges[i];
    if (!edge) return;
    const g = all ? all[name] : (grad as Rules)[name]?.(upstream, kept, node.attrs);
    if (!g) return;
    const shaped = (x: Value) => fitted(op.name, name, x, edge);
    deliver(edge.node, edge.index, edge.leaf, typeof g === "function" ? (before) => shaped(g(before)) : shaped(g));
  });
}

/** Sums broadcasts away and checks what the rule gave. */
function fitted(op: string, name: string, g: Value, edge: Edge): Value {
  let out = sameShape(g.shape, edge.shape) ? g : arithmetic.sumTo(g, edge.shape);
  if (out.dtype !== edge.dtype) out = arithmetic.cast(out, edge.dtype);
  if (!sameShape(out.shape, edge.shape)) {
    fail(
      "ERR_NABLA_INTERNAL",
      op,
      `the gradient of ${name} has shape ${showShape(g.shape)}, the input ${showShape(edge.shape)}`,
    );
  }
  return out;
}

/** Computes what a checkpoint did not store; one inside another takes two turns. */
export function ensureKept(node: Node): void {
  while (!node.kept && node.restore) node.restore();
}
function keptValues(node: Node): Record<string, Operand | undefined> {
  ensureKept(node);
  if (!node.kept) {
    fail("ERR_NABLA_GRAD", "backward", `the graph behind ${node.name} was freed by an earlier backward()`, {
      hint: "pass { retain: true } to the first backward, or compute the loss again",
    });
  }
  const out: Record<string, Operand | undefined> = {};
  for (const name in node.kept) {
    const kept = node.kept[name] as Kept;
    checkVersion(node, name, kept);
    out[name] = kept.value;
  }
  return out;
}

export function checkVersion(node: Node, name: string, { value, version }: Kept): void {
  if (typeof value !== "object" || value.storage.version === version) return;
  fail("ERR_NABLA_GRAD", "backward", `${name} of ${node.name} was changed in place after it was computed`, {
    values: { [name]: value },
    hint: "update parameters after backward(), or run the forward pass again",
  });
}
