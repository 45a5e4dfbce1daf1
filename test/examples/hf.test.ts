// Hugging Face folders continued from the command line: random weights written here, and golden ones where they are.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BPETokenizer, GPT2, generateText, Llama, loadPretrained, savePretrained, seed } from "nabla";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.test.json") };
const hf = (args: string[], input = "") =>
  spawnSync(process.execPath, ["--import", "tsx", "examples/hf.ts", ...args, "--threads", "1", "--json"], {
    cwd: root,
    encoding: "utf8",
    env,
    input,
  });
const json = ({ stdout, stderr }: { stdout: string; stderr: string }) => {
  expect(stderr).toBe("");
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as { texts: string[]; tokens: number; tokensPerSecond: number };
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-hf-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const text = "the cat and the hat and the rat sat on the mat. ";
const tokenizer = BPETokenizer.train(text, { vocabSize: 270 });
const sizes = { vocabSize: 270, contextLength: 64, layers: 2, heads: 2, width: 16, std: 0.2 };

it.each([
  ["GPT2", () => new GPT2(sizes)],
  ["Llama", () => new Llama({ ...sizes, hidden: 24 })],
])("writes what the %s of a folder generates, with the options of the command line", async (name, make) => {
  seed(3);
  const at = join(folder, name);
  await savePretrained(at, make());
  await tokenizer.save(join(at, "tokenizer.json"));
  const args = ["--temperature", "1.5", "--top-k", "30", "--top-p", "0.9", "--repetition-penalty", "1.2"];
  const how = { temperature: 1.5, topK: 30, topP: 0.9, repetitionPenalty: 1.2 };
  const run = hf([at, "--prompt", "the cat", "--tokens", "24", "--seed", "7", ...args]);
  const { texts, tokens, tokensPerSecond } = json(run);
  const model = (await loadPretrained(at)) as GPT2 | Llama;
  let expected = "";
  for await (const piece of generateText(model, tokenizer, "the cat", { ...how, seed: 7, maxTokens: 24 }))
    expected += piece;
  expect([texts, tokens]).toEqual([[expected], 24]);
  expect(run.stdout).toContain(`the cat${expected}\n`);
  expect(tokensPerSecond).toBeGreaterThan(0);
});
it("takes a prompt from each line of its input", () => {
  const { texts, tokens } = json(
    hf([join(folder, "GPT2"), "--tokens", "5", "--temperature", "0"], "the cat\n\nthe rat"),
  );
  expect([texts.length, tokens]).toEqual([2, 10]);
  const small = json(hf([join(folder, "Llama"), "--prompt", "the", "--tokens", "5", "--weights", "i8"]));
  expect(small.tokens).toBe(5);
});

// With golden folders, the tokens that Hugging Face finds likeliest, up to the one that ends a text.
const golden = process.env.NABLA_GOLDEN ?? join(root, "../shared/golden");
const models = join(golden, "models");
interface Greedy {
  readonly prompt: readonly number[];
  readonly tokens: readonly number[];
}
const folders = existsSync(models) ? readdirSync(models).filter((name) => /^hf-(gpt2|llama)$/.test(name)) : [];
it.each([folders])("continues golden folders as Hugging Face does", (...names) => {
  for (const name of names) {
    const { greedy } = JSON.parse(readFileSync(join(models, name, "expected.json"), "utf8")).expected as {
      greedy: Greedy[];
    };
    const end = JSON.parse(readFileSync(join(models, name, "generation_config.json"), "utf8")).eos_token_id as number;
    const input = greedy.map(({ prompt }) => prompt.join(",")).join("\n");
    const { texts } = json(hf([join(models, name), "--ids", "--temperature", "0", "--tokens", "30"], input));
    for (const [i, { prompt, tokens }] of greedy.entries()) {
      const added = tokens.slice(prompt.length);
      const least = added.includes(end) ? added.slice(0, added.indexOf(end)) : added;
      const found = texts[i]!.trim()
        .split(" ")
        .filter((t) => t !== "")
        .map(Number);
      expect(found.slice(0, least.length)).toEqual(least);
      if (added.includes(end)) expect(found).toHaveLength(least.length);
    }
  }
});

it("says how it is called, and what is wrong", () => {
  expect(hf(["--help"]).stdout).toMatch(/usage: .* DIR \[options\]/);
  expect(hf([])).toMatchObject({ status: 1, stderr: expect.stringContaining("takes one DIR, got 0") });
  const none = join(folder, "none");
  expect(hf([none])).toMatchObject({ status: 1, stderr: expect.stringContaining("has no config.json") });
  const at = join(folder, "GPT2");
  expect(hf([at, "--ids", "--prompt", "1 x"])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("prompt 0 has the token NaN"),
  });
  expect(hf([at, "--prompt", "a", "--top-p", "0"])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("topP must be above 0"),
  });
});
