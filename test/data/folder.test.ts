// Folders of pictures: what is found, how it is decoded, and what is said of what cannot be.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataLoader, type ImageFolderOptions, imageFolder, NablaError } from "nabla";
import sharp from "sharp";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "nabla-folder-"));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A picture [height, width] of pixels, 1 or 3 bytes each, as a file. */
async function picture(path: string, pixels: readonly number[][], channels: 1 | 3 = 1): Promise<string> {
  const file = join(root, path);
  mkdirSync(join(file, ".."), { recursive: true });
  const raw = { width: (pixels[0] as number[]).length / channels, height: pixels.length, channels };
  await sharp(Uint8Array.from(pixels.flat()), { raw }).toFile(file);
  return file;
}
const read = (options: Partial<ImageFolderOptions> = {}) =>
  imageFolder(root, { size: [2, 2], channels: 1, ...options } as { size: [2, 2]; channels: 1 });
async function refused(f: () => unknown): Promise<string> {
  try {
    await f();
  } catch (e) {
    if (e instanceof NablaError) return `${e.code} ${e.message.replaceAll(root, "ROOT")}`;
    throw e;
  }
  return "nothing was thrown";
}

it("numbers classes by name, takes PNG and JPEG in any depth, and nothing else", async () => {
  await picture("b/2.png", [[0]]);
  await picture("b/1.jpg", [[0]]);
  await picture("b/deep/down/3.JPEG.png", [[0]]);
  await picture("a/x.jpeg", [[0]]);
  await picture("a/.hidden.png", [[0]]);
  await picture(".hidden/x.png", [[0]]);
  writeFileSync(join(root, "readme.txt"), "hello");
  writeFileSync(join(root, "a", "notes.txt"), "hello");
  execFileSync("mkfifo", [join(root, "a", "pipe.png")]);
  symlinkSync(join(root, "a", "x.jpeg"), join(root, "a", "again.png"));
  symlinkSync(join(root, "nowhere"), join(root, "a", "lost.png"));
  symlinkSync(join(root, "b"), join(root, "b", "round"));
  const folder = await read();
  expect(folder.classes).toEqual(["a", "b"]);
  expect(folder.pictures.map(({ path, label }) => [path.slice(root.length + 1), label])).toEqual([
    ["a/again.png", 0],
    ["a/x.jpeg", 0],
    ["b/1.jpg", 1],
    ["b/2.png", 1],
    ["b/deep/down/3.JPEG.png", 1],
  ]);
  expect(String(folder)).toBe(`5 pictures [1, 2, 2] of 2 classes in ${root}`);
});

it("gives pixels from 0 to 1, channel by channel", async () => {
  await picture("a/gray.png", [
    [0, 255],
    [51, 102],
  ]);
  const [[x, y]] = [await (await read()).get(0)];
  expect([x.shape, y, x.toArray()]).toEqual([[1, 2, 2], 0, [[[0, 1].map(Math.fround), [0.2, 0.4].map(Math.fround)]]]);
  rmSync(join(root, "a"), { recursive: true });
  await picture("a/color.png", [[255, 0, 51, 0, 255, 102]], 3);
  const [color] = await (await imageFolder(root, { size: [1, 2] })).get(0);
  expect(color.toArray()).toEqual([[[1, 0]], [[0, 1]], [[0.2, 0.4].map(Math.fround)]]);
  const [gray] = await (await imageFolder(root, { size: [1, 2], channels: 1 })).get(0);
  expect(gray.shape).toEqual([1, 1, 2]);
});

it("makes colors of gray, forgets transparency, brings 16 bits to 8, turns pictures as the camera was held", async () => {
  await picture("a/1-gray.png", [[51]]);
  const one = { width: 1, height: 1 };
  await sharp(Uint8Array.of(255, 0, 0, 0), { raw: { ...one, channels: 4 } }).toFile(join(root, "a/2-clear.png"));
  const wide = { raw: { ...one, channels: 3 as const } };
  await sharp(Uint16Array.of(65535, 0, 0x3333), wide)
    .toColourspace("rgb16")
    .toFile(join(root, "a/3-deep.png"));
  const folder = await imageFolder(root, { size: [1, 1] });
  const pixels = await Promise.all([0, 1, 2].map(async (i) => (await folder.get(i))[0].reshape(3).toArray()));
  const fifth = Math.fround(0.2);
  expect(pixels).toEqual([
    [fifth, fifth, fifth],
    [1, 0, 0],
    [1, 0, fifth],
  ]);
  const turned = await sharp(Uint8Array.of(0, 255), { raw: { width: 2, height: 1, channels: 1 } })
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer();
  writeFileSync(join(root, "a/0-turned.png"), turned);
  const [x] = await (await imageFolder(root, { size: [2, 1], channels: 1 })).get(0);
  expect(x.toArray()).toEqual([[[0], [1]]]);
});

it("cuts the middle out of other proportions, or stretches", async () => {
  await picture("a/wide.png", [
    [0, 0, 255, 255, 0, 0],
    [0, 0, 255, 255, 0, 0],
  ]);
  const cover = await (await read()).get(0);
  expect(cover[0].toArray()).toEqual([
    [
      [1, 1],
      [1, 1],
    ],
  ]);
  const [fill] = await (await read({ fit: "fill" })).get(0);
  expect(fill.shape).toEqual([1, 2, 2]);
  expect(fill.max().item()).toBeLessThan(0.6);
});

it("splits every class by the shares, the same for the same seed", async () => {
  for (let i = 0; i < 10; i++) await picture(`${i < 6 ? "a" : "b"}/${i}.png`, [[i]]);
  const folder = await read();
  const names = (seed: number) => folder.split([0.5, 0.5], { seed }).map((p) => p.pictures.map(({ path }) => path));
  const [train, valid] = folder.split([0.5, 0.5], { seed: 1 });
  expect(train?.pictures.map(({ label }) => label)).toEqual([0, 0, 0, 1, 1]);
  expect([...train!.pictures, ...valid!.pictures].sort((p, q) => (p.path < q.path ? -1 : 1))).toEqual(folder.pictures);
  expect(names(1)).toEqual(names(1));
  expect(names(2)).not.toEqual(names(1));
  expect(await refused(() => folder.split([0.5, 0.6]))).toContain("add up to 1");
});

it("names the file that is no picture, or is damaged, where its batch would come", async () => {
  const noise = Array.from({ length: 64 }, (_, r) => Array.from({ length: 64 }, (_, c) => (r * 37 + c * c * 11) % 256));
  const good = await picture("a/1-good.png", noise);
  const photo = await picture("a/2-good.jpg", noise);
  const damage: Record<string, Uint8Array> = {
    "empty.png": new Uint8Array(0),
    "text.png": Buffer.from("this is no picture"),
    "cut.png": readFileSync(good).subarray(0, -900),
    "cut.jpg": readFileSync(photo).subarray(0, -900),
    "head.png": readFileSync(good).subarray(0, 30),
    "flipped.png": readFileSync(good).map((b, i) => (i === 500 ? b ^ 0xff : b)),
    "size.png": readFileSync(good).map((b, i) => (i >= 16 && i < 24 ? [0, 0, 255, 220][i % 4]! : b)),
  };
  for (const [name, bytes] of Object.entries(damage)) {
    const path = join(root, "a", `0-${name}`);
    writeFileSync(path, bytes);
    const folder = await read();
    expect(await refused(() => folder.get(0)), name).toMatch(
      `ERR_NABLA_FILE imageFolder: ROOT/a/0-${name}: is no picture that can be read: `,
    );
    rmSync(path);
  }
  writeFileSync(join(root, "a/9-bad.png"), "bad");
  const seen: number[] = [];
  const walk = async () => {
    for await (const [x] of new DataLoader(await read(), { size: 2, prefetch: 4 })) seen.push(x.shape[0]);
  };
  expect(await refused(walk)).toContain("9-bad.png: is no picture");
  expect(seen).toEqual([2]);
});

it("names the folder that is not as it should be", async () => {
  const at = (path: string) => refused(() => imageFolder(path, { size: [2, 2] }));
  expect(await at(join(root, "none"))).toBe("ERR_NABLA_FILE imageFolder: ROOT/none: there is no such folder");
  expect(await at(root)).toMatch("ERR_NABLA_FILE imageFolder: ROOT: has no folders inside; each class is a folder");
  writeFileSync(join(root, "file"), "");
  expect(await at(join(root, "file"))).toBe("ERR_NABLA_FILE imageFolder: ROOT/file: is not a folder");
  await picture("a/1.png", [[0]]);
  mkdirSync(join(root, "b"));
  expect(await at(root)).toBe("ERR_NABLA_FILE imageFolder: ROOT/b: has no pictures (.png, .jpg, .jpeg)");
});

it.each([
  [{ size: [0, 2] }, "size must be [height, width]"],
  [{ size: [2] }, "size must be [height, width]"],
  [{ size: 8 }, "size must be [height, width]"],
  [{ size: [2, 99999] }, "size must be [height, width]"],
  [{ channels: 4 }, "channels must be 1 or 3, got 4"],
  [{ fit: "contain" }, 'fit must be "cover" or "fill", got contain'],
])("refuses %j", async (options, sentence) => {
  expect(await refused(() => read(options as never))).toContain(`ERR_NABLA_VALUE imageFolder: ${sentence}`);
});

it("refuses pictures that are not there", async () => {
  await picture("a/1.png", [[0]]);
  expect(await refused(async () => (await read()).get(1))).toContain(
    "ERR_NABLA_INDEX ImageFolder: there is no picture 1",
  );
});

it("says what to install", async () => {
  vi.doMock("sharp", () => {
    throw new Error("Cannot find package");
  });
  const told = await refused(() => read());
  vi.doUnmock("sharp");
  expect(told).toBe("ERR_NABLA_STATE imageFolder: reading pictures needs the package sharp\n  hint: npm install sharp");
});
