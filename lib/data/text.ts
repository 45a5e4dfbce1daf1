import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { openFile } from "../io/file.ts";

/** Options of {@link readText}. */
export interface ReadTextOptions {
  /** About how many bytes a piece has; 2^20 unless given. */
  bytes?: number;
}

// A text without any place to cut is cut where it stands when this many pieces have come together.
const patience = 64;

/** The end of the last line that is followed by more text, neither of them beginning or ending with blank space: 0 if none. */
function cutOf(text: string): number {
  for (let at = text.lastIndexOf("\n"); at > 0; at = text.lastIndexOf("\n", at - 1))
    if (/\S\n\S/.test(text.slice(at - 1, at + 2))) return at + 1;
  return 0;
}

/**
 * The text of a file of any size in pieces, cut between two lines that have no blank space there: byte-pair and character
 * tokenizers give the same tokens for the pieces as for the whole. A text without such a place for 64 pieces is cut where it stands.
 *
 * Throws ERR_NABLA_FILE for what is no file, or no UTF-8.
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { readText } from "nabla";
 * writeFileSync("lines.txt", "one\ntwo\nthree\n");
 * const pieces: string[] = [];
 * for await (const piece of readText("lines.txt", { bytes: 6 })) pieces.push(piece);
 * console.log(pieces); // [ 'one\n', 'two\n', 'three\n' ]
 * ```
 */
export async function* readText(path: string, options: ReadTextOptions = {}): AsyncGenerator<string> {
  const { bytes = 2 ** 20 } = only("readText", options, ["bytes"]);
  if (!(Number.isInteger(bytes) && bytes > 0 && bytes <= 2 ** 30))
    fail("ERR_NABLA_VALUE", "readText", `bytes must be a whole number from 1 to 2^30, got ${bytes}`, { actual: bytes });
  const { handle } = await openFile("readText", path);
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const buffer = new Uint8Array(bytes);
    let rest = "";
    for (let position = 0; ; ) {
      const { bytesRead } = await handle.read(buffer, 0, bytes, position);
      rest += decoded(path, decoder, buffer.subarray(0, bytesRead), position);
      position += bytesRead;
      if (bytesRead === 0) break;
      const cut = cutOf(rest) || (rest.length > patience * bytes ? rest.length : 0);
      if (cut === 0) continue;
      yield rest.slice(0, cut);
      rest = rest.slice(cut);
    }
    if (rest !== "") yield rest;
  } finally {
    await handle.close();
  }
}
function decoded(path: string, decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array, position: number): string {
  try {
    return decoder.decode(bytes, { stream: bytes.length > 0 });
  } catch (cause) {
    const place = `bytes ${position} to ${position + bytes.length}`;
    return fail("ERR_NABLA_FILE", "readText", `${path}: ${place} are not UTF-8`, { cause });
  }
}
