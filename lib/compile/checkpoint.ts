import { segment } from "../engine/recompute.ts";
import { gradEnabled } from "../engine/tape.ts";
import { getRngState, rngVersion, setRngState } from "../ops/random.ts";

/** The generator's state is a tensor, so that a compiled step saves and restores it too. */
function drawingAgain<R>(state: ReturnType<typeof getRngState>, f: () => R): R {
  const now = getRngState();
  setRngState(state);
  try {
    return f();
  } finally {
    setRngState(now);
  }
}

/**
 * A function whose intermediate results are computed again for backward instead of being stored: memory for time, about a
 * third more of it where everything is checkpointed. Same bits, dropout too. What it does must depend on its arguments and on
 * tensors only.
 *
 * PyTorch: `torch.utils.checkpoint.checkpoint(f, x, use_reentrant=False)`.
 * @example
 * ```ts
 * import { checkpoint, Linear, ones } from "nabla";
 * const layer = new Linear(8, 8);
 * const block = checkpoint((x: ReturnType<typeof layer.forward>) => layer.forward(x).tanh());
 * block(block(ones(2, 8))).sum().backward();
 * console.log(layer.weight.grad?.shape); // [ 8, 8 ]
 * ```
 */
export function checkpoint<A extends readonly unknown[], R>(f: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    if (!gradEnabled()) return f(...args);
    const [state, version] = [getRngState(), rngVersion()];
    let draws = true;
    const result = segment(
      () => f(...args),
      (run) => (draws ? drawingAgain(state, run) : run()),
    );
    draws = rngVersion() !== version;
    return result;
  };
}
