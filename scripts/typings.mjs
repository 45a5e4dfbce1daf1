#!/usr/bin/env node
// native/ops.def -> lib/native.gen.ts: the rows' numbers and parameters for TypeScript. --check fails if the file is stale.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("..", import.meta.url);
const target = fileURLToPath(new URL("lib/native.gen.ts", root));
const dtypes = {
  F32: ["f32"],
  FLOATS: ["f32", "f64"],
  NUMBERS: ["f32", "f64", "i32"],
  BOOL: ["bool"],
  ALL: ["f32", "f64", "i32", "u8", "bool"],
  STORED: ["f32", "f64", "i32", "u8", "bool", "bf16", "i8"],
  HALVES: ["f32", "bf16"],
};
const word = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const verbs = /^(compute|process|do|fast)_/;

const text = readFileSync(new URL("native/ops.def", root), "utf8").replace(/\/\/.*$/gm, "");
const rows = [...text.matchAll(/OP\(\s*(\w+)\s*,\s*(\w+)\s*,\s*(\w+)\s*,\s*"([^"]*)"\s*,\s*\(([\s\S]*?)\)\s*\)/g)];
let id = 0;
const lines = rows.map(([, name, types, driver, shapes, params]) => {
  if (!word.test(name) || verbs.test(name)) throw new Error(`ops.def: '${name}' is not a noun in snake_case`);
  if (!dtypes[types]) throw new Error(`ops.def: ${name}: unknown dtypes ${types}`);
  const list = params.split(/,(?![^<]*>)/).map((p) => p.trim().replace(/\s+/g, " "));
  const arrays = list.filter((p) => /[<]/.test(p)).length;
  if (shapes.split(" ").length !== arrays) throw new Error(`ops.def: ${name}: ${arrays} arrays but shapes "${shapes}"`);
  // What a call does to each array: w writes it whole, u updates it, r reads it.
  const access = list
    .slice(0, arrays)
    .map((p) => (/\bInOut</.test(p) ? "u" : /\bOut</.test(p) ? "w" : "r"))
    .join("");
  const ids = dtypes[types].map((d) => `${d}: ${id++}`).join(", ");
  return `  /** ${list.join(", ")} over "${shapes}" */\n  ${name}: { name: "${name}", driver: "${driver}", shapes: "${shapes}", access: "${access}", id: { ${ids} } },`;
});
const source = `// Generated from native/ops.def by scripts/typings.mjs. Do not edit.

export type KernelType = "f32" | "f64" | "i32" | "u8" | "bool" | "bf16" | "i8";
/** A row of the table: its number for each dtype it exists for. */
export interface Kernel {
  readonly name: string;
  readonly driver: "Map" | "Rows" | "Call";
  readonly shapes: string;
  /** What a call does to each array: w writes it whole, u updates it, r reads it. */
  readonly access: string;
  readonly id: { readonly [D in KernelType]?: number };
}
export const rowCount = ${id};
export const K = {
${lines.join("\n")}
} satisfies Record<string, Kernel>;
`;
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== source) {
    console.error("lib/native.gen.ts is stale: run npm run typings");
    process.exit(1);
  }
} else writeFileSync(target, source);
