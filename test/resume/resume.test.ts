// A run of fit() that was stopped goes on from its checkpoint with the bits of one that was not: weights, running statistics, the
// optimizer's state, every event. Loader order, dropout and augmentation are random; steps are compiled.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type EpochEvent, type FitEvent, NablaError } from "nabla";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { epochs, finish, type Kind, program, start, stopped, told } from "./program.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-resume-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("stopped behind a step and begun anew", () => {
  // Epochs have 5 steps, or 3 of two batches and of one.
  const cases: [Kind, number, number[]][] = [
    ["batches", 1, [1, 2, 4, 5, 6, 10, 14, 15]],
    ["loader", 1, [3, 5, 11]],
    ["array", 1, [3, 5, 11]],
    ["batches", 2, [2, 3, 4, 9]],
  ];
  it.each(cases)("%s, %i batches a step", async (kind, accumulate, steps) => {
    const whole = await finish(program(kind, accumulate));
    expect(whole.history.length).toBe(epochs);
    for (const k of steps) {
      const checkpoint = { path: join(folder, `${k}`), every: 1 };
      await stopped(program(kind, accumulate), k, { checkpoint });
      const { events, ...rest } = await finish(program(kind, accumulate), { checkpoint, resume: true });
      const { events: all, ...wanted } = whole;
      expect(rest).toEqual(wanted);
      expect(events).toEqual(all.slice(all.findIndex((e) => e.done === "step" && e.step === k) + 1));
    }
  });
});

const wait = (ms: number) => new Promise((end) => setTimeout(end, ms));
const root = fileURLToPath(new URL("../..", import.meta.url));
/** Runs the program, and kills it when it has told of so many steps. */
async function child(kill: number): Promise<{ text: string; killed: boolean }> {
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.test.json") };
  const run = spawn(process.execPath, ["--import", "tsx", "test/resume/program.ts", folder], { cwd: root, env });
  let text = "";
  for (const stream of [run.stdout, run.stderr])
    stream.on("data", (part: Buffer) => {
      text += part;
      if (new RegExp(`step ${kill}\n`).test(text)) void wait(7).then(() => run.kill("SIGKILL"));
    });
  const [code, signal] = await new Promise<[number | null, string | null]>((end) =>
    run.on("close", (...how) => end(how)),
  );
  if (signal === null && code !== 0) throw new Error(text);
  return { text, killed: signal === "SIGKILL" };
}
it("killed in the middle of epochs, begun anew each time, and as if nothing had happened", async () => {
  const expected = told(await finish(program("loader")));
  for (const k of [3, 8, 13]) expect((await child(k)).killed).toBe(true);
  const { text } = await child(Number.POSITIVE_INFINITY);
  expect(Number(/^step (\d+)/.exec(text)?.[1])).toBeGreaterThan(13);
  expect(text.trim().split("\n").at(-1)).toBe(expected);
}, 60_000);

describe("checkpoints", () => {
  const files = () => readdirSync(folder).map((name) => Number(/\d+/.exec(name)?.[0]));
  it("are made every so many steps and at the end of each epoch, and the last ones stay", async () => {
    await finish(program("batches"), { checkpoint: { path: folder, every: 3, keep: 4 } });
    expect(files()).toEqual([9, 10, 12, 15]);
  });
  it("are made at the end of each epoch alone unless said", async () => {
    await finish(program("batches"), { checkpoint: { path: folder } });
    expect(files()).toEqual([5, 10, 15]);
  });
  it("are made when a signal ends the run, which goes on from there", async () => {
    const whole = await finish(program("loader"));
    const stop = new AbortController();
    const checkpoint = { path: folder };
    const run = start(program("loader"), { checkpoint, signal: stop.signal });
    const ended = (async () => {
      for await (const e of run) if (e.step === 7) stop.abort();
    })();
    await expect(ended).rejects.toMatchObject({ code: "ERR_NABLA_ABORTED" });
    expect(files()).toEqual([5, 7]);
    expect(told(await finish(program("loader"), { checkpoint, resume: true }))).toBe(told(whole));
  });
  it("of a run that is over give its end; with more epochs it goes on", async () => {
    const checkpoint = { path: folder };
    const whole = await finish(program("batches"), { checkpoint });
    const again = start(program("batches"), { checkpoint, resume: true });
    expect(await again).toEqual(whole.history.at(-1));
    const longer: FitEvent[] = (await finish(program("batches"), { checkpoint, resume: true, epochs: epochs + 1 }))
      .events;
    expect(longer.map((e) => e.step)).toEqual([16, 17, 18, 19, 20, 20]);
  });
  it("begin a run where there are none, and are not written over by another", async () => {
    const checkpoint = { path: join(folder, "new") };
    const last: EpochEvent = await start(program("batches"), { checkpoint, resume: true, epochs: 1 });
    expect(last.step).toBe(5);
    await expect(start(program("batches"), { checkpoint })).rejects.toThrow("has a checkpoint of step 5");
    await expect(start(program("batches"), { resume: true })).rejects.toThrow("there is nothing to resume from");
    await expect(start(program("batches"), { checkpoint: { path: folder, every: 0 } })).rejects.toBeInstanceOf(
      NablaError,
    );
  });
});
