import { only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { clean } from "./words.ts";

interface Sharp {
  png(): { toBuffer(): Promise<Uint8Array> };
}
type Open = (input: Uint8Array, options: { density: number }) => Sharp;

async function opener(): Promise<Open> {
  try {
    return (await import("sharp" as string)).default as Open;
  } catch (cause) {
    return fail("ERR_NABLA_STATE", "png", "PNG pictures need the package sharp", {
      hint: "npm install sharp, or keep the SVG",
      cause,
    });
  }
}

/** Options of {@link png}. */
export interface PngOptions {
  /** Pixels for each pixel of the SVG; 2 unless given. */
  scale?: number;
}
/**
 * The bytes of a PNG of an SVG document, by the package sharp, which is to be installed beside nabla. Throws ERR_NABLA_STATE without
 * it, ERR_NABLA_VALUE for a scale not from 0.1 to 10 or for a text that is no SVG.
 */
export async function png(svg: string, options: PngOptions = {}): Promise<Uint8Array> {
  const { scale = 2 } = only("png", options, ["scale"]);
  if (!(scale >= 0.1 && scale <= 10))
    fail("ERR_NABLA_VALUE", "png", `scale must be from 0.1 to 10, got ${scale}`, { actual: scale });
  if (typeof svg !== "string" || !svg.startsWith("<svg"))
    fail("ERR_NABLA_VALUE", "png", `needs the text of an SVG, got ${clean(svg).slice(0, 20)}`, {
      hint: "png(chart.svg())",
    });
  const open = await opener();
  try {
    return new Uint8Array(
      await open(new TextEncoder().encode(svg), { density: 72 * scale })
        .png()
        .toBuffer(),
    );
  } catch (cause) {
    return fail("ERR_NABLA_VALUE", "png", `the SVG cannot be drawn: ${clean((cause as Error).message)}`, { cause });
  }
}
