import { NablaError } from "../lib/index.ts";

/** The code of the NablaError that f throws; "none" when it throws nothing. */
export function code(f: () => unknown): string {
  try {
    f();
  } catch (error) {
    if (error instanceof NablaError) return error.code;
    throw error;
  }
  return "none";
}
