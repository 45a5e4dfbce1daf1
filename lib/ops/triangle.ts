// The triangles of matrices.
import { fail } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import { launch } from "../engine/launch.ts";
import { op, type Spec } from "../engine/op.ts";
import { K } from "../native.gen.ts";
import { contiguous } from "./arithmetic.ts";

interface Diagonal {
  readonly diagonal: number;
}
function triangle(name: "tril" | "triu") {
  const self = op({
    name,
    inputs: ["x"],
    prepare: ({ x }) => ({ x: x.ndim > 3 ? contiguous(x) : x }),
    infer({ x }, { diagonal }: Diagonal): Spec {
      if (x.ndim < 2) fail("ERR_NABLA_SHAPE", name, "takes matrices", { values: { x } });
      if (diagonal !== (diagonal | 0))
        fail("ERR_NABLA_VALUE", name, `diagonal ${diagonal} is not a whole number`, { actual: diagonal });
      return { shape: x.shape, dtype: x.dtype };
    },
    forward({ y }, { x }, { diagonal }) {
      if (y.size === 0) return;
      const [[rows, cols], [row, col]] = [x.shape.slice(-2), x.strides.slice(-2)];
      const matrices = y.size / (rows * cols);
      const step = x.ndim === 3 ? x.strides[0] : rows * cols;
      launch(K[name], y.dtype, [matrices, rows, cols], [y, { value: x, steps: [step, row, col] }], [diagonal]);
    },
    grad: { x: (gy, _, attrs): Value => self({ x: gy }, attrs) },
    cases: [
      { inputs: { x: [3, 4] }, attrs: { diagonal: 0 } },
      { inputs: { x: [2, 4, 3] }, attrs: { diagonal: -1 } },
      { inputs: { x: [2, 2, 3, 3] }, attrs: { diagonal: 1 } },
    ],
  });
  return self;
}
const [trilOp, triuOp] = [triangle("tril"), triangle("triu")];
/** x at and below a diagonal of its last two dims, 0 above it; diagonal 1 is the one beside the main one. */
export const tril = (x: Value, diagonal = 0): Value => trilOp({ x }, { diagonal });
/** x at and above a diagonal of its last two dims, 0 below it. */
export const triu = (x: Value, diagonal = 0): Value => triuOp({ x }, { diagonal });
