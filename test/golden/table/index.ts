// Every golden op that has a call of the library: from torch's names and arguments to nabla's.
import type { Table } from "../args.ts";
import { activation } from "./activation.ts";
import { attention } from "./attention.ts";
import { elementwise } from "./elementwise.ts";
import { image } from "./image.ts";
import { layer } from "./layer.ts";
import { losses } from "./loss.ts";
import { recurrent } from "./recurrent.ts";
import { reduction } from "./reduction.ts";
import { selection } from "./selection.ts";
import { shape } from "./shape.ts";

export const table: Table = {
  ...activation,
  ...attention,
  ...elementwise,
  ...image,
  ...layer,
  ...losses,
  ...recurrent,
  ...reduction,
  ...selection,
  ...shape,
};
