// Files that are whole or not there, and files that are files.
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkKind } from "../core/boundary.ts";
import { fail } from "../core/errors.ts";

// Reads and writes go in pieces, so that one tensor of gigabytes neither meets a limit of the system nor holds up other files.
const piece = 1 << 26;

/** Fills `to` from a position on; where the file ends before, `cut` says so. */
export async function fill(
  handle: FileHandle,
  to: Uint8Array,
  position: number,
  cut: (end: number) => never,
): Promise<void> {
  for (let at = 0; at < to.length; ) {
    const { bytesRead } = await handle.read(to, at, Math.min(piece, to.length - at), position + at);
    if (bytesRead === 0) cut(position + at);
    at += bytesRead;
  }
}

/** Opens a file for reading, and nothing else: a pipe or a device would wait for ever, or never end. */
export async function openFile(op: string, path: string): Promise<{ handle: FileHandle; size: number }> {
  checkKind(op, "the path", path, "string");
  // Without O_NONBLOCK the open of a pipe would wait itself.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) fail("ERR_NABLA_FILE", op, `${path} is not a regular file`);
    return { handle, size: stat.size };
  } catch (e) {
    await handle.close();
    throw e;
  }
}

async function write(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; )
    at += (await handle.write(bytes, at, Math.min(piece, bytes.length - at))).bytesWritten;
}

/** What makes the names in a folder last. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Replaces the file at `path` in one step: the bytes go to a file beside it, reach the disk, and then take its name. Whatever
 * happens before, a kill, a full disk, leaves the old file whole.
 */
export async function replaceFile(
  path: string,
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  checkKind("save", "the path", path, "string");
  const beside = `${path}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
  const handle = await open(beside, "wx");
  try {
    try {
      for await (const part of parts) await write(handle, part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, path);
  } catch (e) {
    await rm(beside, { force: true });
    throw e;
  }
  await syncFolder(dirname(path));
}
/** {@link replaceFile} with text. */
export async function replaceText(path: string, text: string): Promise<void> {
  await replaceFile(path, [Buffer.from(text)]);
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === "EPERM";
  }
}
/** Removes what processes that were killed left of their writes. */
export async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /\.(\d+)\.[0-9a-f]{8}\.tmp$/.exec(name)?.[1];
    if (pid !== undefined && !runs(Number(pid))) await rm(join(folder, name), { force: true });
  }
}
