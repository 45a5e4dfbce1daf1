#!/usr/bin/env node
// What a user gets: packs the library with a prebuilt addon, installs the tarball in an empty folder with neither
// compiler, make nor Python on the path, and loads it there, by import and by require.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "nabla-pack-"));
const run = (cwd, env, command, ...args) =>
  execFileSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });

try {
  run(root, {}, "npm", "run", "prebuilds");
  const [{ filename, size, files }] = JSON.parse(
    run(root, {}, "npm", "pack", "--json", "--ignore-scripts", "--pack-destination", folder),
  );
  const bare = join(folder, "bin");
  mkdirSync(bare);
  for (const name of ["node", "npm", "sh"])
    symlinkSync(execFileSync("which", [name], { encoding: "utf8" }).trim(), join(bare, name));
  const env = { PATH: bare, PREBUILDS_ONLY: "1" };
  run(folder, env, "npm", "init", "--yes");
  run(folder, env, "npm", "install", join(folder, filename));
  const show = 'console.log(Object.keys(nabla).length > 0 ? "loaded" : process.exit(1))';
  run(folder, env, "node", "--input-type=module", "--eval", `import * as nabla from "nabla"; ${show}`);
  run(folder, env, "node", "--input-type=commonjs", "--eval", `const nabla = require("nabla"); ${show}`);
  // An error begins at the user's line, with source maps too.
  const blame = 'try { nabla.zeros(-1) } catch (e) { if (!e.stack.split("\\n    at ")[1].includes("[eval")) throw e }';
  const mapped = { ...env, NODE_OPTIONS: "--enable-source-maps" };
  run(folder, mapped, "node", "--input-type=module", "--eval", `import * as nabla from "nabla"; ${blame}`);
  const addons = readdirSync(join(root, "prebuilds"), { recursive: true }).filter((name) => name.endsWith(".node"));
  console.log(
    `${filename}: ${files.length} files, ${Math.round(size / 1024)} kB, loads without a compiler (${addons.join(", ")})`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
