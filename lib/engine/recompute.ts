// Computing again instead of storing: what the nodes of a segment kept is dropped, and the segment runs again when backward
// first asks for any of it.
import { fail } from "../core/errors.ts";
import { storagesMade } from "../core/storage.ts";
import { precision, withPrecision } from "./precision.ts";
import { checkVersion, collect, ensureKept, type Kept, type Node, withGrad } from "./tape.ts";

let last = 0;
let open: readonly number[] = [];
let again: number | undefined;
/** The segments that are being computed, outermost first. */
export function openSegments(): readonly number[] {
  return open;
}
/** The segment that is being computed again, if one is. What happens once in a step (running statistics) is not to happen then. */
export function recomputing(): number | undefined {
  return again;
}

function during<R>(segments: readonly number[], second: number | undefined, f: () => R): R {
  const before = [open, again] as const;
  [open, again] = [segments, second];
  try {
    return f();
  } finally {
    [open, again] = before;
  }
}

interface External {
  readonly node: Node;
  readonly name: string;
  readonly kept: Kept;
}

/** Runs f; its nodes keep nothing that was made in it. rerun runs it the second time. */
export function segment<R>(f: () => R, rerun: (f: () => R) => R): R {
  const id = ++last;
  const born = storagesMade();
  const outside = precision();
  const { result, nodes } = during([...open, id], again, () => collect(f));
  const external: External[] = [];
  for (const node of nodes) {
    for (const [name, kept] of Object.entries(node.kept ?? {}))
      if (typeof kept.value === "object" && kept.value.storage.serial < born) external.push({ node, name, kept });
    node.kept = null;
    node.restore = () => {
      for (const x of external) checkVersion(x.node, x.name, x.kept);
      const run = () => withPrecision(outside, () => rerun(() => during([], id, f)));
      refill(nodes, collect(() => withGrad(true, run)).nodes);
    };
  }
  return result;
}

function refill(nodes: readonly Node[], from: readonly Node[]): void {
  if (nodes.length !== from.length || nodes.some((n, i) => n.op !== from[i].op))
    fail("ERR_NABLA_GRAD", "checkpoint", "the function did something else when it ran again for backward", {
      expected: nodes.map((n) => n.name),
      actual: from.map((n) => n.name),
      hint: "what it does may depend on its arguments and on tensors only",
    });
  nodes.forEach((node, i) => {
    take(node, from[i]);
  });
}

/** What `from` kept goes to node, now or, where an inner segment did not store it, when it is asked for. */
function take(node: Node, from: Node): void {
  node.restore = null;
  if (from.kept) node.kept = from.kept;
  else
    node.restore = () => {
      ensureKept(from);
      take(node, from);
    };
}
