// A mask filled in.
import type { Value } from "../core/value.ts";
import type { Operand } from "../engine/launch.ts";
import { where } from "./arithmetic.ts";

/** value where the mask is true, x elsewhere. */
export const maskedFill = (x: Value, mask: Value, value: Operand): Value => where({ condition: mask, a: value, b: x });
