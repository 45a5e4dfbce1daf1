// The passes in their order.
import type { Graph } from "../graph.ts";
import { hoistChecks } from "./check.ts";
import { clipInUpdates } from "./clip.ts";
import { copyConstants } from "./constant.ts";
import { removeDead } from "./dead.ts";
import { finishProducts } from "./epilogue.ts";
import { fuseSteps, singleSteps } from "./fuse.ts";
import { shareResults } from "./result.ts";
import { shareTwins } from "./twin.ts";

export function optimize(g: Graph, { fuse = true }: { fuse?: boolean | undefined }): Graph {
  const clean = hoistChecks(removeDead(shareResults(shareTwins(removeDead(copyConstants(g))))));
  return fuse ? fuseSteps(removeDead(clipInUpdates(finishProducts(clean)))) : singleSteps(clean);
}
