// Generation and the life of a process: worker threads beside the main one, and an end in the middle of a text.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tsx = dirname(createRequire(import.meta.url).resolve("tsx/package.json"));
const [loader, register] = ["dist/loader.mjs", "dist/esm/api/index.mjs"].map(
  (file) => pathToFileURL(join(tsx, file)).href,
) as [string, string];
let folder: string;

/** What a thread does with a model of its own: texts of two requests at once. */
const work = `
import { GPT2, generate, seed } from ${JSON.stringify(pathToFileURL(join(root, "lib/index.ts")).href)};
seed(1);
export const model = new GPT2({ vocabSize: 50, contextLength: 64, layers: 2, heads: 2, width: 32, std: 0.2 }).eval();
async function text(k, maxTokens) {
  const tokens = [];
  for await (const t of generate(model, [k, 2, 3], { seed: k, maxTokens })) tokens.push(t);
  return tokens.join(" ");
}
export const texts = (maxTokens) => Promise.all([text(1, maxTokens), text(2, maxTokens)]);
export const started = async () => {
  const endless = generate(model, [1], { maxTokens: 1e9, seed: 1 });
  await endless.next();
  for (let i = 0; i < 50; i++) await endless.next();
  return endless;
};
`;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-process-"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "work.mjs"), work);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A process that runs this code, and a thread in it that runs the other. */
function run(code: string, worker = "") {
  const head = 'import { parentPort, Worker } from "node:worker_threads";\n';
  const own = 'const { texts, started } = await import("./work.mjs");\n';
  // tsx teaches the main thread alone to read TypeScript.
  const taught = `import { register } from "${register}";\nregister();\n`;
  writeFileSync(join(folder, "worker.mjs"), head + taught + own + worker);
  writeFileSync(join(folder, "main.mjs"), head + own + code);
  const options = { cwd: folder, encoding: "utf8", timeout: 60_000 } as const;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ["--import", loader, "main.mjs"], options);
  return { status, signal, stdout: stdout.trim(), stderr };
}
const threads = 'const worker = new Worker(new URL("./worker.mjs", import.meta.url));\n';

it("gives in a worker and in the main thread at once what each gives alone", () => {
  const code = `
    const alone = await texts(40);
    const answers = Promise.all([0, 1].map(() => new Promise((resolve, reject) => {
      ${threads} worker.once("message", resolve).once("error", reject);
    })));
    const found = [];
    const end = answers.then(() => "ended");
    do found.push(await texts(40)); while ((await Promise.race([end, null])) !== "ended");
    const same = [...found, ...(await answers)].every((t) => t.join() === alone.join());
    console.log(same, alone[0].split(" ").length, alone[0] !== alone[1]);`;
  expect(run(code, "parentPort.postMessage(await texts(40));")).toMatchObject({
    status: 0,
    stdout: "true 40 true",
    stderr: "",
  });
});
it.each([
  ["exits in the middle of a text", "await started().then((t) => { t.next(); process.exit(5); });", 5],
  ["exits from a timer while texts grow", "setTimeout(() => process.exit(6), 300); await texts(1e9);", 6],
  ["ends when nobody asks for the next token", "await started();", 0],
  ["ends with an error of its own", "const t = await started(); t.next(); throw new Error('mine');", 1],
])("%s", (_, code, status) => {
  expect(run(code)).toMatchObject({ status, signal: null });
});

it("outlives workers that are ended while their texts grow", () => {
  const code = `
    const expected = (await texts(30)).join();
    const same = [];
    for (let i = 0; i < 5; i++) {
      ${threads}
      await new Promise((resolve) => worker.once("message", resolve));
      const mine = texts(30);
      await worker.terminate();
      same.push((await mine).join() === expected, (await texts(30)).join() === expected);
    }
    console.log(same.length, same.every(Boolean));`;
  const worker = 'const t = await started(); parentPort.postMessage("on its way"); for await (const _ of t);';
  expect(run(code, worker)).toMatchObject({ status: 0, signal: null, stdout: "10 true" });
});
