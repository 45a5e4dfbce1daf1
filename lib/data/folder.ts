import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { checkKind, only } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";
import { emptyValue } from "../core/value.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Dataset } from "./loader.ts";
import { deal } from "./split.ts";

/** Options of {@link imageFolder}. */
export interface ImageFolderOptions<H extends number = number, W extends number = H> {
  /** Height and width of all pictures. */
  size: readonly [H, W];
  /** 3 for red, green, blue, 1 for gray; 3 unless given. */
  channels?: 1 | 3;
  /** How a picture of other proportions fits: its middle is cut out ("cover", unless given), or it is stretched ("fill"). */
  fit?: "cover" | "fill";
}
/** Options of {@link ImageFolder.split}. */
export interface FolderSplitOptions {
  /** What the order follows from: equal seeds, equal parts. */
  seed?: number;
}
/** A picture of a folder. */
export interface Picture {
  readonly path: string;
  /** The number of its class. */
  readonly label: number;
}

const extensions = new Set([".png", ".jpg", ".jpeg"]);

/** The bytes of a picture, all channels of a pixel together. */
type Decode = (path: string) => Promise<Uint8Array>;

async function decoder({ size: [height, width], channels, fit }: Required<ImageFolderOptions>): Promise<Decode> {
  const { default: sharp } = await import("sharp").catch((cause: unknown) =>
    fail("ERR_NABLA_STATE", "imageFolder", "reading pictures needs the package sharp", {
      hint: "npm install sharp",
      cause,
    }),
  );
  return (path) =>
    sharp(path, { failOn: "error", limitInputPixels: 2 ** 28 })
      .autoOrient()
      .removeAlpha()
      .resize({ width, height, fit })
      .toColourspace(channels === 1 ? "b-w" : "srgb")
      .raw({ depth: "uchar" })
      .toBuffer();
}
function refuse(path: string, what: string, cause?: unknown): never {
  return fail("ERR_NABLA_FILE", "imageFolder", `${path}: ${what}`, { cause });
}

const byCode = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What stands in a folder, in one order on every system. */
async function list(folder: string) {
  try {
    return (await readdir(folder, { withFileTypes: true })).sort((a, b) => byCode(a.name, b.name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const told = { ENOENT: "there is no such folder", ENOTDIR: "is not a folder" } as const;
    return refuse(folder, told[code as keyof typeof told] ?? `cannot be read: ${code}`, error);
  }
}
/** Whether a name leads to a folder, or a file; neither for pipes, devices and links that lead nowhere. */
async function kindOf(path: string): Promise<"folder" | "file" | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ? "folder" : found?.isFile() ? "file" : undefined;
}
/** The pictures in a folder and the folders in it. A folder that is met again through a link is not entered. */
async function* pictures(folder: string, above: readonly bigint[] = []): AsyncGenerator<string> {
  const { ino } = await stat(folder, { bigint: true });
  if (above.includes(ino)) return;
  for (const { name } of await list(folder)) {
    if (name.startsWith(".")) continue;
    const path = join(folder, name);
    const kind = await kindOf(path);
    if (kind === "folder") yield* pictures(path, [...above, ino]);
    else if (kind === "file" && extensions.has(extname(name).toLowerCase())) yield path;
  }
}

/**
 * Pictures in folders named by their classes: `root/cat/1.png`, `root/dog/2.jpg`. Made by {@link imageFolder}; a
 * {@link Dataset}, so a {@link DataLoader} makes batches of it. A sample is [picture f32 [channels, height, width] from 0 to 1,
 * number of the class]. Classes are numbered in the order of their names.
 *
 * torchvision: `datasets.ImageFolder`.
 */
export class ImageFolder<H extends number = number, W extends number = number, C extends 1 | 3 = 1 | 3>
  implements Dataset<readonly [Tensor<[C, H, W], "f32">, number]>
{
  readonly root: string;
  readonly classes: readonly string[];
  readonly pictures: readonly Picture[];
  readonly #decode: Decode;
  readonly #options: Required<ImageFolderOptions<H, W>>;

  constructor(
    root: string,
    classes: readonly string[],
    found: readonly Picture[],
    decode: Decode,
    options: Required<ImageFolderOptions<H, W>>,
  ) {
    this.root = root;
    this.classes = classes;
    this.pictures = found;
    this.#decode = decode;
    this.#options = options;
  }

  get length(): number {
    return this.pictures.length;
  }

  /**
   * Picture i and its class, decoded and brought to size on a thread of Node's. A file that is no picture, is cut off or has more
   * than 2^28 pixels is an ERR_NABLA_FILE that names it.
   */
  async get(i: number): Promise<readonly [Tensor<[C, H, W], "f32">, number]> {
    const picture = this.pictures[i];
    if (!picture)
      return fail("ERR_NABLA_INDEX", "ImageFolder", `there is no picture ${i} of ${this.length}`, { actual: i });
    const { size, channels } = this.#options;
    try {
      const x = planes(await this.#decode(picture.path), channels, ...size);
      return [x as Tensor<[C, H, W], "f32">, picture.label];
    } catch (error) {
      return refuse(picture.path, `is no picture that can be read: ${(error as Error).message}`, error);
    }
  }

  /**
   * Parts of these shares of the pictures, 0.8 and 0.2 say, each with its share of every class.
   *
   * scikit-learn: `train_test_split(..., stratify)`.
   */
  split(shares: readonly number[], options: FolderSplitOptions = {}): ImageFolder<H, W, C>[] {
    const { seed = 0 } = only("split", options, ["seed"]);
    const parts = deal(this.length, shares, { seed, strata: (i) => this.pictures[i]?.label });
    const part = (rows: readonly number[]) => rows.map((i) => this.pictures[i] as Picture);
    return parts.map((rows) => new ImageFolder(this.root, this.classes, part(rows), this.#decode, this.#options));
  }

  toString(): string {
    const { channels, size } = this.#options;
    return `${this.length} pictures [${[channels, ...size].join(", ")}] of ${this.classes.length} classes in ${this.root}`;
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Pixels of bytes, channel by channel, from 0 to 1. */
function planes(bytes: Uint8Array, channels: number, height: number, width: number) {
  const y = emptyValue([channels, height, width], "f32");
  const plane = height * width;
  const to = y.storage.array.subarray(y.offset, y.offset + channels * plane);
  if (bytes.length !== to.length) throw new Error(`${bytes.length} bytes of pixels, not ${to.length}`);
  for (let c = 0; c < channels; c++)
    for (let p = 0; p < plane; p++) to[c * plane + p] = (bytes[p * channels + c] as number) / 255;
  return y;
}

function checkOptions(options: ImageFolderOptions): void {
  const { size, channels = 3, fit = "cover" } = only("imageFolder", options, ["size", "channels", "fit"]);
  const sizes = Array.isArray(size) ? size : [];
  if (sizes.length !== 2 || !sizes.every((s) => Number.isInteger(s) && s >= 1 && s <= 16384))
    fail("ERR_NABLA_VALUE", "imageFolder", `size must be [height, width], whole numbers from 1 to 16384`, {
      expected: "[height, width]",
      actual: size,
    });
  if (channels !== 1 && channels !== 3)
    fail("ERR_NABLA_VALUE", "imageFolder", `channels must be 1 or 3, got ${String(channels)}`, { actual: channels });
  if (fit !== "cover" && fit !== "fill")
    fail("ERR_NABLA_VALUE", "imageFolder", `fit must be "cover" or "fill", got ${String(fit)}`, { actual: fit });
}

/**
 * Finds the pictures of a folder with a folder for each class: PNG and JPEG, also deeper down, none hidden. They are decoded when
 * asked for, by the package sharp, which is to be installed beside nabla: turned as the camera was held, without transparency.
 *
 * Throws ERR_NABLA_FILE naming the folder when it is missing, has no folders inside or one of these has no pictures;
 * ERR_NABLA_STATE without sharp. torchvision: `datasets.ImageFolder`.
 * @example
 * ```ts
 * import { existsSync } from "node:fs";
 * import { DataLoader, imageFolder } from "nabla";
 * if (existsSync("photos")) {
 *   const folder = await imageFolder("photos", { size: [64, 64] });
 *   const [train = folder, valid = folder] = folder.split([0.8, 0.2], { seed: 1 });
 *   for await (const [x, y] of new DataLoader(train, { size: 32, shuffle: true })) {
 *     // x is [32, 3, 64, 64], y the numbers of 32 classes
 *     console.log(x.shape, y.toArray(), valid.length);
 *   }
 * }
 * ```
 */
export async function imageFolder<const H extends number, const W extends number, const C extends 1 | 3 = 3>(
  root: string,
  options: ImageFolderOptions<H, W> & { channels?: C },
): Promise<ImageFolder<H, W, C>> {
  checkKind("imageFolder", "the folder", root, "string");
  checkOptions(options);
  const all = { channels: 3 as const, fit: "cover" as const, ...options };
  const decode = await decoder(all);
  const classes: string[] = [];
  for (const { name } of await list(root))
    if (!name.startsWith(".") && (await kindOf(join(root, name))) === "folder") classes.push(name);
  if (classes.length === 0)
    refuse(root, "has no folders inside; each class is a folder of its own, as in root/cat/1.png");
  const found: Picture[] = [];
  for (const [label, name] of classes.entries()) {
    const before = found.length;
    for await (const path of pictures(join(root, name))) found.push({ path, label });
    if (found.length === before) refuse(join(root, name), `has no pictures (${[...extensions].join(", ")})`);
  }
  return new ImageFolder(root, classes, found, decode, all);
}
