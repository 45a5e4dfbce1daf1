// Every case of every op, forward and backward, inside a compiled step: the bits of the eager run.
import { afterEach, describe, expect, it } from "vitest";
import { compile } from "../../lib/compile/compile.ts";
import { native } from "../../lib/core/native.ts";
import { Value } from "../../lib/core/value.ts";
import { type AnyOp, registry } from "../../lib/engine/op.ts";
import { walk } from "../../lib/engine/tape.ts";
import * as ops from "../../lib/ops/index.ts";
import { bits, make, results } from "../sample.ts";

type AnyCase = AnyOp["definition"]["cases"][number];
const all = [...registry.values()].flatMap((op) =>
  op.definition.cases.map((c, i) => ({ name: `${op.name} ${i}`, op, c })),
);

/** The op and its gradients as a function of its tensors, and these. */
function stepOf(op: AnyOp, c: AnyCase) {
  const { named, leaves } = make(op, c);
  if (op.definition.grad) for (const x of leaves) x.requiresGrad = true;
  const tensors = Object.entries(named).filter((entry): entry is [string, Value] => entry[1] instanceof Value);
  const step = (...given: Value[]): Value[] => {
    const inputs = { ...named, ...Object.fromEntries(tensors.map(([name], i) => [name, given[i]!])) };
    const ys = results(op, c, { named: inputs, leaves });
    const roots = ys.flatMap((y) => (y.requiresGrad ? { value: y, grad: ops.full(y.shape, 0.75, y.dtype) } : []));
    const targets = given.filter((x) => x.requiresGrad);
    return roots.length ? [...ys, ...walk(roots, targets).filter((g) => g !== undefined)] : ys;
  };
  return { step, args: tensors.map(([, x]) => x) };
}

const best = native.isa();
const threads = native.threads();
afterEach(() => {
  native.use(best);
  native.setThreads(threads);
});

describe("the bits of the eager run", () => {
  it.each(all)("$name", ({ op, c }) => {
    const { step, args } = stepOf(op, c);
    const expected = step(...args).map(bits);
    for (const isa of native.isas) {
      native.use(isa);
      for (const fuse of [true, false]) {
        using compiled = compile(step, { fuse });
        for (let run = 0; run < 4; run++) {
          native.setThreads(1 + (run % 2));
          expect(compiled.sync(...args).map(bits), `${isa}, fuse ${fuse}, run ${run}`).toEqual(expected);
        }
        expect(compiled.explain().plans).toHaveLength(1);
      }
    }
  });
});
