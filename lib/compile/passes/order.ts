// The passes in their order.
import type { Graph } from "../graph.ts";
import { hoistChecks } from "./check.ts";
import { clipInUpdates } from "./clip.ts";
import { copyConstants } from "./constant.ts";
import { copyOnes, takeOver } from "./copy.ts";
import { removeDead } from "./dead.ts";
import { finishProducts } from "./epilogue.ts";
import { fuseSteps, singleSteps } from "./fuse.ts";
import { placeGradients } from "./place.ts";
import { prepackWeights } from "./prepack.ts";
import { rectifyPools } from "./rectify.ts";
import { shareResults } from "./result.ts";
import { shareTwins } from "./twin.ts";

interface Passes {
  readonly fuse?: boolean | undefined;
  readonly prepack?: boolean | undefined;
}
export function optimize(g: Graph, { fuse = true, prepack }: Passes): Graph {
  const clean = hoistChecks(removeDead(takeOver(copyOnes(shareResults(shareTwins(removeDead(copyConstants(g))))))));
  const joined = fuse ? removeDead(clipInUpdates(placeGradients(rectifyPools(finishProducts(clean))))) : clean;
  return (fuse ? fuseSteps : singleSteps)(prepackWeights(joined, prepack));
}
