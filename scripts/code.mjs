#!/usr/bin/env node
// What the compiler made of the tiles of gemm and convolution: their inner loops keep every sum in a register, so they
// must multiply and add in one instruction and never touch the stack.
//   npm run check:code [-- --clang]     the objects of the build (gcc); with --clang those of clang too, where it is installed
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const isas = ["avx2", "avx512", "avx512dot"];
const has = (tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0;
function run(command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}\n${stderr}`);
  return stdout;
}

/** Functions of an object as [name, instructions]: { at, text, to } where `to` is the target of a jump. */
function functions(object, wanted) {
  const found = [];
  let code = null;
  for (const line of run("objdump", "-d", "-C", "--no-show-raw-insn", object).split("\n")) {
    const head = /^[0-9a-f]+ <(.+)>:$/.exec(line);
    if (head) {
      code = wanted.test(head[1]) && !head[1].includes("[clone") ? [] : null;
      if (code) found.push([head[1].replace(/^void |nabla::|\(.*$/g, "").replace(/\(\w+::Mode\)/, ""), code]);
    }
    const step = code && /^\s+([0-9a-f]+):\s+(.+?)\s*(?:#.*)?$/.exec(line);
    if (!step) continue;
    const to = /^j\w+\s+([0-9a-f]+)/.exec(step[2]);
    code.push({ at: Number.parseInt(step[1], 16), text: step[2], to: to ? Number.parseInt(to[1], 16) : undefined });
  }
  return found;
}
/** The innermost loops: a jump backwards, and what it jumps over, if no other loop lies inside. */
function loops(code) {
  const all = code
    .filter(({ at, to }) => to !== undefined && to <= at && to >= code[0].at)
    .map(({ at, to }) => ({ from: to, to: at }));
  const inner = all.filter((l) => !all.some((o) => o !== l && o.from >= l.from && o.to <= l.to));
  return inner.map(({ from, to }) => code.filter(({ at }) => at >= from && at <= to).map(({ text }) => text));
}

const fused = /^(vfn?m(add|sub)\d+|vdpbf16)ps/;
const split = /^v(mul|add|sub)ps/;
/** What is wrong with a function whose loop is to hold rows x vectors of sums, or undefined. */
function complaint(code, sums) {
  const framed = code.some(({ text }) => text === "mov    %rsp,%rbp");
  const stack = framed ? /\(%r[sb]p/ : /\(%rsp/;
  const hot = loops(code).filter((body) => body.some((text) => fused.test(text)));
  if (hot.length === 0) return "no loop of fused multiply-adds";
  for (const body of hot) {
    const count = body.filter((text) => fused.test(text)).length;
    if (count % sums !== 0) return `${count} fused multiply-adds in a loop of ${sums} sums`;
    const touches = body.filter((text) => stack.test(text));
    if (touches.length > 0) return `touches the stack: ${touches[0]}`;
    const apart = body.find((text) => split.test(text));
    if (apart) return `multiplies and adds apart: ${apart}`;
  }
  return undefined;
}

/** Complaints about the tiles of an object file. */
function check(object, compiler, isa) {
  const tiles = functions(object, new RegExp(`nabla::${isa}::(tiles|pair_tiles|reach)<\\d`));
  const wrong = [];
  for (const [name, code] of tiles) {
    const [, rows, vectors] = /<(\d+), (\d+)/.exec(name);
    const why = complaint(code, rows * vectors);
    if (why) wrong.push(`${compiler}, ${name}: ${why}`);
  }
  if (tiles.length === 0) wrong.push(`${compiler}, ${isa}: no tiles found in ${object}`);
  console.log(`${compiler}, ${isa}: ${tiles.length} tiles, ${wrong.length} complaints`);
  return wrong;
}

const wrong = [];
if (process.arch !== "x64") {
  console.log(`skipped: reads x86-64 code, this is ${process.arch}`);
} else if (!has("objdump")) {
  console.log("skipped: no objdump; as root: apt-get install binutils");
} else {
  const own = (isa) => `build/Release/obj.target/nabla/native/isa/${isa}.o`;
  for (const isa of isas) {
    if (!existsSync(own(isa))) throw new Error(`no ${own(isa)}: npm run build:native`);
    wrong.push(...check(own(isa), "gcc", isa));
  }
  if (process.argv.includes("--clang") && !has("clang++")) {
    console.log("skipped: no clang++; as root: apt-get install clang");
  } else if (process.argv.includes("--clang")) {
    const { nabla_flags: flags } = JSON.parse(readFileSync("native/sources.gypi", "utf8")).variables;
    mkdirSync("build-clang", { recursive: true });
    for (const isa of isas) {
      const object = `build-clang/${isa}.o`;
      run("clang++", ...flags, "-w", "-O3", "-fPIC", "-c", `native/isa/${isa}.cc`, "-o", object);
      wrong.push(...check(object, "clang", isa));
    }
  }
}
for (const line of wrong) console.error(line);
process.exit(wrong.length > 0 ? 1 : 0);
