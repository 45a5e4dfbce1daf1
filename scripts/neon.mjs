#!/usr/bin/env node
// NEON on any machine: the kernels are cross-compiled for arm64, run under qemu on generated input, and hold the bits of
// the tables of this machine's own build. Says why where it cannot.
//   npm run test:neon
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const folder = "build-neon";
const objects = "build/Release/obj.target/nabla/native";
const has = (tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0;

const cross = "aarch64-linux-gnu-g++";
const emulator = "qemu-aarch64";
function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(0);
}
if (process.arch !== "x64") skip(`needs an x86-64 machine to compare with, this is ${process.arch}`);
if (!has(cross) || !has(emulator)) {
  const need = `apt-get install g++-aarch64-linux-gnu qemu-user`;
  if (process.getuid?.() !== 0 || !has("apt-get")) skip(`no ${cross} or ${emulator}; as root: ${need}`);
  const install = () => spawnSync("sh", ["-c", `${need} -y -q`], { stdio: "ignore", timeout: 300_000 }).status === 0;
  if (!install()) {
    spawnSync("apt-get", ["update", "-q"], { stdio: "ignore", timeout: 120_000 });
    if (!install()) skip(`no ${cross} or ${emulator}, and this failed: ${need}`);
  }
}
if (!existsSync(`${objects}/isa/scalar.o`)) skip(`no build to compare with: npm run build:native`);

// Bits do not depend on the optimiser, and -O1 compiles in half the time.
const flags = ["-std=c++20", "-O1", "-ffp-contract=off", "-fno-math-errno", "-pthread", "-Wno-unknown-pragmas"];
const cached = has("ccache") ? ["ccache"] : [];
function compile(source, target, compiler) {
  const [command, ...rest] = [...cached, compiler, ...flags, "-c", source, "-o", target];
  return new Promise((done, failed) => {
    spawn(command, rest, { stdio: "inherit" }).on("exit", (code) =>
      code === 0 ? done(target) : failed(new Error(`${compiler} could not compile ${source}`)),
    );
  });
}
mkdirSync(folder, { recursive: true });
const parts = ["isa/neon", "isa/scalar", "args", "drive", "cpu", "pool"];
const [host, test, ...arm] = await Promise.all([
  compile("test/native/rows.cc", `${folder}/host.o`, "g++"),
  compile("test/native/rows.cc", `${folder}/rows.o`, cross),
  ...parts.map((part) => compile(`native/${part}.cc`, `${folder}/${part.replace("/", "-")}.o`, cross)),
]);
const own = readdirSync(`${objects}/isa`).map((name) => `${objects}/isa/${name}`);
const rest = ["args", "drive", "cpu", "pool"].map((name) => `${objects}/${name}.o`);
execFileSync("g++", ["-pthread", host, ...rest, ...own.filter((o) => o.endsWith(".o")), "-o", `${folder}/host`]);
execFileSync(cross, ["-static", "-pthread", test, ...arm, "-o", `${folder}/arm64`]);

/** Hashes of each row by instruction set. */
function hashes(command, ...args) {
  const rows = new Map();
  for (const line of execFileSync(command, args, { encoding: "utf8" }).trim().split("\n")) {
    const [name, dtype, isa, hash] = line.split(" ");
    const row = `${name} ${dtype}`;
    if (!rows.has(row)) rows.set(row, new Map());
    rows.get(row).set(isa, hash);
  }
  return rows;
}
const here = hashes(`${folder}/host`);
const there = hashes(emulator, `${folder}/arm64`);
const apart = (row, x) => new Set(x.get(row).values()).size > 1;
const wrong = [...here.keys()].filter((row) => !there.has(row) || apart(row, here) || apart(row, there));
// f64 rows call the C library, which rounds its functions differently on another machine.
const foreign = [...here.keys()].filter((row) => here.get(row).get("scalar") !== there.get(row)?.get("scalar"));
wrong.push(...foreign.filter((row) => !row.endsWith(" f64")));
if (wrong.length > 0 || !there.get("add f32")?.has("neon")) {
  console.error(`other bits on arm64: ${wrong.join(", ") || "no NEON table"}`);
  process.exit(1);
}
const isas = [...here.get("add f32").keys(), "neon"].join(", ");
console.log(
  `${here.size} rows have the same bits on ${isas}; but for f64 rows of the C library: ${foreign.join(", ")}`,
);
