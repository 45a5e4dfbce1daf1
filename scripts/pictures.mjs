#!/usr/bin/env node
// Draws the pictures of docs/pictures anew, from the examples' own runs: the same numbers, the same files.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = "docs/pictures";
const names = process.argv.slice(2);
const examples = names.length > 0 ? names : ["activations", "attention", "depth", "descent", "filters", "vanishing"];

for (const name of examples) {
  const old = readdirSync(new URL(`../${folder}`, import.meta.url)).filter((file) => file.startsWith(`${name}-`));
  for (const file of old) rmSync(new URL(`../${folder}/${file}`, import.meta.url));
  const { status } = spawnSync(process.execPath, ["--import", "tsx", `examples/${name}.ts`, "--svg", folder], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) process.exit(status ?? 1);
  const drawn = readdirSync(new URL(`../${folder}`, import.meta.url)).filter((file) => file.startsWith(`${name}-`));
  console.log(`${name}: ${drawn.join(", ")}`);
}
