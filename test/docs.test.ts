// The examples of the documentation: each compiles, runs as it stands, and prints what its comments say.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);
let folder: string;

interface Example {
  readonly file: string;
  /** lib/tensor/view.ts:31 */
  readonly place: string;
  readonly code: string;
}
/** The ```ts blocks in the comments of a file. */
function examplesOf(file: string): Example[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/^ *\* ```ts\n([\s\S]*?)^ *\* ```$/gm)].map(({ index, 1: block = "" }) => ({
    file,
    place: `${file}:${text.slice(0, index).split("\n").length + 1}`,
    code: block.replace(/^ *\* ?/gm, ""),
  }));
}
const sources = readdirSync(join(root, "lib"), { recursive: true, encoding: "utf8" }).filter((f) => f.endsWith(".ts"));
/** The ```ts blocks of a page. */
function pageExamples(file: string): Example[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(({ index, 1: code = "" }) => ({
    file,
    place: `${file}:${text.slice(0, index).split("\n").length + 1}`,
    code,
  }));
}
const pages = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).filter((f) => f.endsWith(".md"));
const examples = [
  ...sources.sort().flatMap((f) => examplesOf(`lib/${f}`)),
  ...["README.md", "CONTRIBUTING.md", ...pages.sort().map((f) => `docs/${f}`)].flatMap(pageExamples),
];

/** What the comments behind console.log say, with every run of spaces as one. */
const promised = (code: string): string[] =>
  [...code.matchAll(/^ *console\.log\(.*\); \/\/ (.*)$/gm)].map(([, said = ""]) => said.replace(/\s+/g, " ").trim());

const runner = `
import { format } from "node:util";
const results = [];
let lines = [];
console.log = (...args) => lines.push(format(...args).replace(/\\s+/g, " ").trim());
for (const file of process.argv.slice(2)) {
  lines = [];
  try {
    await import(file);
    results.push({ lines });
  } catch (e) {
    results.push({ lines, error: String(e?.stack ?? e) });
  }
}
process.stdout.write(JSON.stringify(results));
process.exit(0);
`;

interface Outcome {
  readonly lines: readonly string[];
  readonly error?: string;
}
let outcomes: Outcome[];
let complaints: string[];

/** All examples in one process, one after the other. */
function runAll(): Outcome[] {
  const files = examples.map((_, i) => pathToFileURL(join(folder, "examples", `${i}.ts`)).href);
  const loader = pathToFileURL(require.resolve("tsx")).href;
  const { stdout, stderr } = spawnSync(process.execPath, ["--import", loader, join(folder, "runner.ts"), ...files], {
    encoding: "utf8",
    cwd: folder,
    maxBuffer: 2 ** 26,
  });
  return stdout ? (JSON.parse(stdout) as Outcome[]) : examples.map(() => ({ lines: [], error: stderr }));
}

/** What the compiler says, by the place of the example. */
function compileAll(): string[] {
  const compiler = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
  const typeRoots = [join(root, "node_modules/@types")];
  const compilerOptions = { types: ["node"], typeRoots, rootDir: "/", noUnusedLocals: false };
  const config = { extends: join(root, "tsconfig.test.json"), compilerOptions, include: ["examples"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const { stdout } = spawnSync(process.execPath, [compiler, "-p", folder, "--pretty", "false"], { encoding: "utf8" });
  return stdout.split("\n").flatMap((line) => {
    const [, i, rest] = /examples\/(\d+)\.ts\((.*)$/.exec(line) ?? [];
    return i === undefined ? [] : [`${examples[Number(i)]?.place} (${rest}`];
  });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-docs-"));
  mkdirSync(join(folder, "examples"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "runner.ts"), runner);
  const index = JSON.stringify(join(root, "lib/index.ts"));
  const plot = JSON.stringify(join(root, "lib/plot/index.ts"));
  for (const [i, { code }] of examples.entries())
    writeFileSync(
      join(folder, "examples", `${i}.ts`),
      code.replaceAll('"nabla"', index).replaceAll('"nabla/plot"', plot),
    );
  outcomes = runAll();
  complaints = compileAll();
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

test.each([...new Set(examples.map(({ file }) => file))])("the examples of %s", (file) => {
  const mine = examples.flatMap((e, i) => (e.file === file ? [{ ...e, ...outcomes[i] }] : []));
  expect(complaints.filter((c) => c.startsWith(`${file}:`))).toEqual([]);
  expect(
    mine.map(({ place, code, lines = [], error }) => ({ place, lines: lines.slice(0, promised(code).length), error })),
  ).toEqual(mine.map(({ place, code }) => ({ place, lines: promised(code), error: undefined })));
});

test("links between pages lead to files, and every picture is shown", () => {
  const shown = new Set<string>();
  const broken: string[] = [];
  for (const file of ["README.md", "CONTRIBUTING.md", ...pages.map((f) => `docs/${f}`)]) {
    const text = readFileSync(join(root, file), "utf8");
    for (const [, to = ""] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      const path = join(root, dirname(file), to);
      if (existsSync(path)) shown.add(path);
      else broken.push(`${file}: ${to}`);
    }
  }
  const pictures = readdirSync(join(root, "docs/pictures")).map((name) => join(root, "docs/pictures", name));
  expect([broken, pictures.filter((path) => !shown.has(path))]).toEqual([[], []]);
});

test("there are examples", () => {
  expect(examples.length).toBeGreaterThan(100);
});
