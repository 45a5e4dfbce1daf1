import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Runs an example against the sources, not against dist. */
export function example(name: string, ...args: string[]) {
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.test.json") };
  return spawnSync(process.execPath, ["--import", "tsx", `examples/${name}.ts`, ...args], {
    cwd: root,
    encoding: "utf8",
    env,
  });
}
/** What --json ends with. */
export const json = <T = Record<string, number>>({ stdout }: { stdout: string }): T =>
  JSON.parse(stdout.trim().split("\n").at(-1)!) as T;
