// Kills shakespeare.ts at random moments of its training, resumes it, and compares its weights with those of a run that was left
// in peace: node --import tsx test/io/crash.ts --kills 20 -- --layers 4 --width 128
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.test.json") };
const sizes = ["--layers", "1", "--heads", "2", "--width", "16", "--batch", "4", "--context", "16", "--dropout", "0.1"];

interface End {
  readonly killed: boolean;
  readonly text: string;
}
/** Runs the example; with `after`, kills it so many milliseconds after it saved its first checkpoint. */
async function run(args: readonly string[], folder: string, after?: number): Promise<End> {
  const saved = () => String(readdirSync(folder).filter((name) => name.endsWith(".safetensors")));
  const before = saved();
  const child = spawn(process.execPath, ["--import", "tsx", "examples/shakespeare.ts", ...args], { cwd: root, env });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (part: Buffer) => {
      text += part;
    });
  const end = new Promise<[number | null, string | null]>((ended) => child.on("close", (...how) => ended(how)));
  if (after !== undefined) {
    while (child.exitCode === null && saved() === before) await sleep(10);
    await sleep(after);
    child.kill("SIGKILL");
  }
  const [code, signal] = await end;
  if (signal === null && code !== 0) throw new Error(text);
  return { killed: signal === "SIGKILL", text };
}
const sumOf = (text: string): string => (JSON.parse(text.trim().split("\n").at(-1)!) as { sha256: string }).sha256;

export interface Crashed {
  readonly expected: string;
  readonly actual: string;
  /** Kills that hit a run before its end. */
  readonly kills: number;
  /** Steps at which runs were resumed. */
  readonly resumed: number[];
  /** Files that kills left half written. */
  readonly torn: number;
}
/** How runs are killed. */
export interface Attack {
  /** Kills at most. */
  readonly kills: number;
  /** Steps of the training. */
  readonly steps: number;
  /** Milliseconds after its first checkpoint in which a run is killed. */
  readonly within: number;
  readonly random: () => number;
  /** More arguments of the example. */
  readonly more?: readonly string[];
}
/** Kills runs, then lets one come to its end. */
export async function crash({ kills: most, steps, within, random, more = [] }: Attack): Promise<Crashed> {
  const folder = mkdtempSync(join(tmpdir(), "nabla-crash-"));
  try {
    const args = [...sizes, "--threads", "1", "--write", "1", "--steps", String(steps), "--json", ...more];
    const expected = sumOf((await run(args, folder)).text);
    const again = [...args, "--checkpoint", folder, "--every", "1", "--resume"];
    const resumed: number[] = [];
    let [kills, torn] = [0, 0];
    for (;;) {
      const { killed, text } = await run(again, folder, kills < most ? random() * within : undefined);
      const from = /resumed at step (\d+)/.exec(text)?.[1];
      if (from !== undefined) resumed.push(Number(from));
      if (!killed) return { expected, actual: sumOf(text), kills, resumed, torn };
      kills++;
      torn += readdirSync(folder).filter((name) => name.endsWith(".tmp")).length;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = { kills: { type: "string" }, steps: { type: "string" }, within: { type: "string" } } as const;
  const { values, positionals: more } = parseArgs({ options, allowPositionals: true });
  const { kills = "20", steps = "3000", within = "600" } = values;
  const [most, all, time] = [kills, steps, within].map(Number) as [number, number, number];
  const result = await crash({ kills: most, steps: all, within: time, random: Math.random, more });
  console.log(JSON.stringify({ ...result, equal: result.actual === result.expected }));
  if (result.actual !== result.expected) process.exitCode = 1;
}
