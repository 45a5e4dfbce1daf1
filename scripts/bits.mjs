#!/usr/bin/env node
// The kernels as another compiler makes them, run on generated input, hold the bits of this machine's own build. Says why where it cannot.
//   npm run test:neon     cross-compiled for arm64 by GCC, under qemu
//   npm run test:clang    compiled by Clang, as on Windows, and for arm64, as on macOS
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const objects = "build/Release/obj.target/nabla/native";
const has = (tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0;
function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(0);
}

const { nabla_flags: flags } = JSON.parse(readFileSync("native/sources.gypi", "utf8")).variables;
const others = {
  // Bits do not depend on the optimiser, and -O1 compiles in half the time.
  neon: {
    compiler: "aarch64-linux-gnu-g++",
    tools: ["qemu-aarch64"],
    packages: "g++-aarch64-linux-gnu qemu-user",
    flags: ["-O1"],
    emulator: ["qemu-aarch64"],
    link: ["-static"],
    isas: ["scalar", "neon"],
  },
  // As it is shipped: what -O3 makes of the loops is what is tested, and what `npm run check:code -- --clang` reads.
  clang: {
    compiler: "clang++",
    tools: [],
    packages: "clang",
    flags: ["-O3", "-fPIC"],
    emulator: [],
    link: [],
    isas: ["scalar", "avx2", "avx512", "avx512dot"],
  },
  "clang-neon": {
    compiler: "clang++",
    tools: ["qemu-aarch64", "aarch64-linux-gnu-ld"],
    packages: "clang g++-aarch64-linux-gnu qemu-user",
    flags: ["-O3", "--target=aarch64-linux-gnu"],
    emulator: ["qemu-aarch64"],
    link: ["-static", "--target=aarch64-linux-gnu"],
    isas: ["scalar", "neon"],
  },
};
const name = process.argv[2];
const other = others[name];
if (!other) throw new Error(`bits.mjs neon|clang|clang-neon, got ${name}`);
const folder = `build-${name}`;
const tools = [other.compiler, ...other.tools];

if (process.arch !== "x64") skip(`needs an x86-64 machine to compare with, this is ${process.arch}`);
if (!tools.every(has)) {
  const need = `apt-get install ${other.packages}`;
  if (process.getuid?.() !== 0 || !has("apt-get")) skip(`no ${tools.join(" or ")}; as root: ${need}`);
  const install = () => spawnSync("sh", ["-c", `${need} -y -q`], { stdio: "ignore", timeout: 300_000 }).status === 0;
  if (!install()) {
    spawnSync("apt-get", ["update", "-q"], { stdio: "ignore", timeout: 120_000 });
    if (!install()) skip(`no ${tools.join(" or ")}, and this failed: ${need}`);
  }
}
if (!existsSync(`${objects}/isa/scalar.o`)) skip(`no build to compare with: npm run build:native`);

const cached = has("ccache") ? ["ccache"] : [];
function compile(source, target, compiler, own) {
  const [command, ...rest] = [...cached, compiler, ...flags, "-w", ...own, "-c", source, "-o", target];
  return new Promise((done, failed) => {
    spawn(command, rest, { stdio: "inherit" }).on("exit", (code) =>
      code === 0 ? done(target) : failed(new Error(`${compiler} could not compile ${source}`)),
    );
  });
}
mkdirSync(`${folder}/isa`, { recursive: true });
const common = ["args", "signature", "drive", "turn", "cpu", "pool"];
const parts = [...other.isas.map((isa) => `isa/${isa}`), ...common];
const [host, ...theirs] = await Promise.all([
  compile("test/native/rows.cc", `${folder}/host.o`, "g++", ["-O1"]),
  compile("test/native/rows.cc", `${folder}/rows.o`, other.compiler, other.flags),
  ...parts.map((part) => compile(`native/${part}.cc`, `${folder}/${part}.o`, other.compiler, other.flags)),
]);
const own = readdirSync(`${objects}/isa`).map((file) => `${objects}/isa/${file}`);
const rest = common.map((part) => `${objects}/${part}.o`);
execFileSync("g++", ["-pthread", host, ...rest, ...own.filter((o) => o.endsWith(".o")), "-o", `${folder}/host`]);
execFileSync(other.compiler, [...other.link, "-pthread", ...theirs, "-o", `${folder}/rows`]);

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
const there = hashes(...other.emulator, `${folder}/rows`);
const apart = (row, x) => new Set(x.get(row).values()).size > 1;
const wrong = [...here.keys()].filter((row) => !there.has(row) || apart(row, here) || apart(row, there));
// f64 rows call the C library, which rounds its functions differently on another machine.
const foreign = [...here.keys()].filter((row) => here.get(row).get("scalar") !== there.get(row)?.get("scalar"));
wrong.push(...(other.emulator.length > 0 ? foreign.filter((row) => !row.endsWith(" f64")) : foreign));
const offers = (rows, isa) => rows.get("add f32")?.has(isa);
const missing = other.isas.filter((isa) => (isa === "neon" || offers(here, isa)) && !offers(there, isa));
if (wrong.length + missing.length > 0) {
  console.error(
    `${name}: other bits in ${wrong.join(", ") || "no row"}; tables missing: ${missing.join(", ") || "none"}`,
  );
  process.exit(1);
}
const isas = new Set([...here.get("add f32").keys(), ...there.get("add f32").keys()]);
const but = foreign.length > 0 ? `; but for f64 rows of the C library: ${foreign.join(", ")}` : "";
console.log(`${name}: ${here.size} rows have the same bits on ${[...isas].join(", ")}${but}`);
