// The example of folders of pictures: learns, reads what it is given, and says what it lacks.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openSafetensors } from "../../lib/index.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-pictures-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the example against the sources, its temporary files in `folder`. */
function example(args: readonly string[], node: readonly string[] = []) {
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.test.json"), TMPDIR: folder };
  const command = ["--import", "tsx", ...node, "examples/folder.ts", ...args];
  return spawnSync(process.execPath, command, { cwd: root, encoding: "utf8", env });
}
interface Result {
  readonly validAccuracy: number;
  readonly classes: number;
  readonly pictures: number;
}
const json = ({ stdout }: { stdout: string }) => JSON.parse(stdout.trim().split("\n").at(-1)!) as Result;

it("learns the digits it draws, the same in every run, and leaves nothing behind", () => {
  const args = ["--count", "500", "--epochs", "4", "--threads", "1", "--json"];
  const [first, second] = [json(example(args)), json(example(args))];
  expect(first).toMatchObject({ classes: 10, pictures: 500 });
  expect(first.validAccuracy).toBeGreaterThan(0.6);
  expect(second.validAccuracy).toBe(first.validAccuracy);
  expect(readdirSync(folder).filter((name) => name.startsWith("nabla-digits"))).toEqual([]);
}, 60_000);

it("reads a folder in colors, and saves the names of its classes with the weights", async () => {
  const data = join(folder, "colors");
  for (const background of ["green", "red"]) {
    mkdirSync(join(data, background), { recursive: true });
    for (let i = 0; i < 20; i++) {
      const picture = sharp({ create: { width: 10 + i, height: 20, channels: 3, background } });
      await picture.toFile(join(data, background, `${i}.${i % 2 ? "png" : "jpg"}`));
    }
  }
  const save = join(folder, "colors.safetensors");
  const args = ["--data", data, "--colors", "rgb", "--size", "8", "--batch", "8", "--flip", "--save", save, "--json"];
  expect(json(example(args))).toMatchObject({ validAccuracy: 1, classes: 2, pictures: 40 });
  await using file = await openSafetensors(save);
  expect(file.metadata.get("classes")).toBe('["green","red"]');
  writeFileSync(join(data, "red", "7.png"), "broken");
  const broken = example(args);
  expect([broken.status, broken.stderr]).toEqual([1, expect.stringContaining("red/7.png: is no picture")]);
}, 60_000);

it("says what to install, what is wrong, and how it is called", () => {
  const hook =
    "export const resolve = (s, c, next) => { if (s === 'sharp') throw new Error('none'); return next(s, c); };";
  const source = `data:text/javascript,${encodeURIComponent(hook)}`;
  const without = `import { register } from "node:module"; register(${JSON.stringify(source)});`;
  const node = ["--import", `data:text/javascript,${encodeURIComponent(without)}`];
  for (const args of [[], ["--data", folder]]) {
    const { status, stderr } = example(args, node);
    expect([status, stderr]).toEqual([1, expect.stringContaining("npm install sharp")]);
  }
  expect(example(["--data", "/nowhere"])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("/nowhere: there is no such folder"),
  });
  expect(example(["--help"])).toMatchObject({ status: 0, stdout: expect.stringContaining("--still ") });
}, 60_000);
