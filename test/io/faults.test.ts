// Files and the system's failures: the n-th call fails, for every n; writes are cut short.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

/** Calls of the system until one fails; none does at Infinity. */
const faults = vi.hoisted(() => ({ left: Number.POSITIVE_INFINITY, calls: [] as string[], short: false }));

vi.mock("node:fs/promises", async (original) => {
  const real = (await original()) as typeof import("node:fs/promises");
  const strike = (name: string) => {
    faults.calls.push(name);
    if (--faults.left === 0) throw Object.assign(new Error(`${name} failed`), { code: "EIO", syscall: name });
  };
  const open: typeof real.open = async (...args) => {
    strike("open");
    const handle = await real.open(...args);
    const { write, sync, close } = handle;
    handle.write = (async (bytes: Uint8Array, at: number, length: number) => {
      strike("write");
      const part = faults.short ? Math.ceil(length / 3) : length;
      return write.call(handle, bytes as never, at as never, part as never);
    }) as never;
    handle.sync = async () => {
      strike("fsync");
      await sync.call(handle);
    };
    handle.close = async () => {
      await close.call(handle);
      strike("close");
    };
    return handle;
  };
  const rename: typeof real.rename = async (...args) => {
    strike("rename");
    await real.rename(...args);
  };
  return { ...real, open, rename };
});
const { Linear, loadCheckpoint, loadSafetensors, saveCheckpoint, saveSafetensors, tensor } = await import(
  "../../lib/index.ts"
);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-faults-"));
});
afterEach(() => {
  Object.assign(faults, { left: Number.POSITIVE_INFINITY, short: false });
  rmSync(folder, { recursive: true });
});

/** Fails the first call of f, then the second, and so on until f comes to its end; which call failed, each time. */
async function failing(f: () => Promise<unknown>, after: () => Promise<void>): Promise<string[]> {
  const all: string[] = [];
  for (let n = 1; ; n++) {
    faults.left = n;
    faults.calls = [];
    const error = await f().then(
      () => null,
      (e: NodeJS.ErrnoException) => e,
    );
    faults.left = Number.POSITIVE_INFINITY;
    if (error === null) return all;
    expect(error.code).toBe("EIO");
    all.push(error.syscall as string);
    await after();
  }
}

it("a file is the old one or the new one whichever call fails, and nothing is left beside it", async () => {
  const path = join(folder, "m");
  await saveSafetensors(path, { a: tensor([1]) });
  let value = 1;
  const failed = await failing(
    () => saveSafetensors(path, { a: tensor([++value]) }),
    async () => {
      const found = (await loadSafetensors(path)).get("a")?.toArray();
      expect([[1], [value]]).toContainEqual(found);
      expect(readdirSync(folder)).toEqual(["m"]);
      await saveSafetensors(path, { a: tensor([1]) });
    },
  );
  expect(failed).toEqual(["open", "write", "write", "fsync", "close", "rename", "open", "fsync", "close"]);
});

it("a checkpoint that fails leaves the one before, and the next one succeeds", async () => {
  const parts = { model: new Linear(2, 2) };
  await saveCheckpoint(folder, parts, { step: 1 });
  let step = 1;
  const failed = await failing(
    () => saveCheckpoint(folder, parts, { step: ++step, keep: 1 }),
    async () => {
      const found = (await loadCheckpoint(folder, parts))!.step;
      expect([step - 1, step]).toContain(found);
      expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
      await saveCheckpoint(folder, parts, { step, keep: 1 });
      expect(readdirSync(folder).length).toBe(1);
    },
  );
  expect(new Set(failed)).toEqual(new Set(["open", "write", "fsync", "close", "rename"]));
});

it("writes that are cut short go on", async () => {
  faults.short = true;
  const values = Array.from({ length: 100 }, (_, i) => i);
  await saveSafetensors(join(folder, "m"), { a: tensor(values) });
  expect(faults.calls.filter((name) => name === "write").length).toBeGreaterThan(4);
  expect((await loadSafetensors(join(folder, "m"))).get("a")?.toArray()).toEqual(values);
});
