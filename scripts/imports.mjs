#!/usr/bin/env node
// Imports only go down. Fails, naming the line, when one goes up or round in a circle, when a file has more than
// 400 lines, or when its name is not one lower-case word.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

// The rooms of lib/, lowest floor first. A room may import from every lower floor and from itself, not from a
// neighbour on its own floor. `types` has no line that runs: anyone may `import type` from it.
const floors = [
  ["core"],
  ["engine"],
  ["ops"],
  ["types"],
  ["tensor"],
  ["grad", "precision", "compile"],
  ["io"],
  ["nn"],
  ["optim"],
  ["data", "text", "plot"],
  ["models"],
  ["train", "serve"],
  ["index"],
];
// A layer is written in tensors and ops alone, so it is recorded, compiled and differentiated without knowing of it.
const forbidden = { nn: ["engine", "compile"] };

// The files of native/: what each may include, quoted first, then in <>. The first pattern that matches counts.
// A kernel never meets a thread: of the kernels only those that cut their own work (drivers `Call`) see the pool.
const node = ["node_api.h", "napi.h"];
const native = [
  ["ops.def", []],
  ["types.h", ["<cstddef>", "<cstdint>"]],
  ["kernels.h", ["types.h", "ops.def"]],
  ["cpu.cc", ["kernels.h", "<*>"]],
  ["pool.h", ["<cstddef>", "<cstdint>"]],
  ["pool.cc", ["pool.h", "<*>"]],
  ["args.h", ["types.h", "kernels.h", "<*>"]],
  ["overlap.h", ["args.h"]],
  ["args.cc", ["args.h", "kernels.h", "overlap.h", "<*>"]],
  ["signature.cc", ["args.h", "kernels.h", "ops.def", "<*>"]],
  ["turn.h", ["args.h"]],
  ["turn.cc", ["turn.h", "pool.h", "<*>"]],
  ["drive.cc", ["args.h", "kernels.h", "pool.h", "turn.h", "<*>"]],
  ["program.h", ["args.h", "<*>"]],
  ["program.cc", ["program.h", "<*>"]],
  ["runner.h", ["program.h", "<*>"]],
  ["runner.cc", ["runner.h", "<*>"]],
  ["instance.h", ["args.h", ...node, "<*>"]],
  ["compiled.cc", ["instance.h", "runner.h", ...node, "<*>"]],
  ["addon.cc", ["instance.h", "args.h", "kernels.h", "ops.def", "pool.h", ...node, "<*>"]],
  ["simd/math.h", ["types.h", "simd/*.h"]],
  ["simd/scalar.h", ["types.h", "simd/*.h", "<*>"]],
  ["simd/*.h", ["types.h", "simd/*.h", "<immintrin.h>", "<arm_neon.h>"]],
  ["kernels/product.h", ["types.h", "simd/*.h", "kernels/*.h", "pool.h"]],
  ["kernels/gemm.h", ["types.h", "simd/*.h", "kernels/*.h", "pool.h"]],
  ["kernels/dot.h", ["types.h", "simd/*.h", "kernels/*.h", "pool.h"]],
  ["kernels/*.h", ["types.h", "simd/*.h", "kernels/*.h"]],
  ["isa/table.h", ["kernels.h", "kernels/*.h", "ops.def"]],
  ["isa/avx512dot.cc", ["kernels.h", "pool.h", "simd/*.h", "kernels/*.h", "<*>"]],
  ["isa/*.cc", ["isa/table.h", "kernels.h", "types.h", "pool.h", "simd/*.h", "<*>"]],
];

const words = /^[a-z][a-z0-9]*(\.(test|test-d|bench|gen|config))?\.(ts|mjs|h|cc|def|gypi|txt)$/;
const banned = /util|helper|common|base|manager|misc/;
const lines = 400;

const root = fileURLToPath(new URL("..", import.meta.url));
const complaints = [];
const complain = (file, line, text) => complaints.push(`${file}${line ? `:${line}` : ""}: ${text}`);

/** The files under a folder of the project, sorted, as paths from its root. */
function walk(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}

/** Every `find` match in a file as [line number, groups]; comments are blanked, so prose and examples do not count. */
function* matches(file, find) {
  const blank = (text) => text.replace(/[^\n]/g, " ");
  const text = readFileSync(join(root, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, blank);
  for (const match of text.matchAll(find)) yield [text.slice(0, match.index).split("\n").length, match];
}

const room = (file) => file.slice("lib/".length).split(/[/.]/)[0];
const floor = (name) => floors.findIndex((names) => names.includes(name));

// `import … from "x"` and `export … from "x"`, `import "x"`, `import("x")`
const imported =
  /^\s*((?:import|export)\b[^;"'()=]*?)\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;

function checkLib(file) {
  const from = room(file);
  const targets = [];
  if (file === "lib/native.gen.ts") return targets;
  if (floor(from) < 0) complain(file, 0, `room "${from}" has no floor; add it to scripts/imports.mjs`);
  for (const [line, [, form, fromPath, bare, dynamic]] of matches(file, imported)) {
    const path = fromPath ?? bare ?? dynamic;
    const type = /^(import|export)\s+type\b/.test(form ?? "");
    if (!path.startsWith(".")) {
      if (path === "nabla") complain(file, line, "lib imports itself by its public name");
      continue;
    }
    const target = normalize(join(dirname(file), path));
    if (!existsSync(join(root, target))) complain(file, line, `no such file: ${path}`);
    if (!target.startsWith("lib/")) complain(file, line, `${path} leaves lib/`);
    const to = target === "lib/native.gen.ts" ? "core" : room(target);
    if (to === "types" && type) continue;
    if (!type) targets.push({ target, line });
    if (to !== from && floor(to) >= floor(from)) complain(file, line, `${from} imports ${to}, which is not below it`);
    if (forbidden[from]?.includes(to)) complain(file, line, `${from} must not import ${to}`);
  }
  return targets;
}

const glob = (pattern) => new RegExp(`^${pattern.replace(/[.]/g, "\\.").replace(/\*/g, "[^ ]*")}$`);

function checkNative(file) {
  const name = file.slice("native/".length);
  const rule = native.find(([pattern]) => glob(pattern).test(name));
  const targets = [];
  if (!rule) complain(file, 0, "no line in scripts/imports.mjs says what it may include");
  const allow = (line, path, shown) => {
    if (rule && !rule[1].some((pattern) => glob(pattern).test(path))) complain(file, line, `must not include ${shown}`);
  };
  for (const [line, [, quoted, angled]] of matches(file, /^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)/gm)) {
    const path = quoted ?? angled;
    if (node.includes(path)) allow(line, path, path);
    else if (angled) allow(line, `<${path}>`, `<${path}>`);
    else {
      const target = [join(dirname(file), path), join("native", path)].find((tried) => existsSync(join(root, tried)));
      if (!target) complain(file, line, `no such file: ${path}`);
      else {
        allow(line, target.slice("native/".length), path);
        targets.push({ target, line });
      }
    }
  }
  return targets;
}

/** Reports the first way round for each circle in `graph`: file -> [{ target, line }]. */
function checkCycles(graph) {
  const done = new Set();
  const visit = (file, path) => {
    if (done.has(file)) return;
    for (const { target, line } of graph.get(file) ?? []) {
      const start = [...path, file].indexOf(target);
      if (start >= 0) complain(file, line, `circle: ${[...path, file].slice(start).join(" -> ")} -> ${target}`);
      else visit(target, [...path, file]);
    }
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
}

function checkFile(file) {
  const name = basename(file);
  if (!words.test(name)) complain(file, 0, "a file name is one lower-case word");
  if (banned.test(name)) complain(file, 0, `the name says nothing about what is inside (${name.match(banned)[0]})`);
  const count = readFileSync(join(root, file), "utf8").split("\n").length - 1;
  if (count > lines && !name.includes(".gen.")) complain(file, 0, `${count} lines, more than ${lines}`);
}

const isSource = (file) => /\.(ts|mjs|h|cc|def)$/.test(file);
const lib = walk("lib").filter((file) => file.endsWith(".ts"));
const cpp = walk("native").filter(isSource);
const others = ["test", "bench", "examples", "scripts"].flatMap(walk).filter(isSource);
checkCycles(new Map([...lib.map((file) => [file, checkLib(file)]), ...cpp.map((file) => [file, checkNative(file)])]));
for (const file of [...lib, ...cpp, ...others]) checkFile(file);

for (const complaint of complaints) console.error(complaint);
console.log(`${lib.length + cpp.length + others.length} files, ${complaints.length} complaints`);
process.exitCode = complaints.length > 0 ? 1 : 0;
