#!/usr/bin/env node
// Runs the tests of the addon against a build with sanitizers:
//   npm run test:sanitize [-- address,undefined | thread [test files]]
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [sanitizers = "address,undefined", ...named] = process.argv.slice(2);
const files = named.length > 0 ? named : ["kernels", "gemm", "binding"].map((name) => `test/${name}.test.ts`);
const kinds = { "address,undefined": ["asan", "libasan.so"], thread: ["tsan", "libtsan.so"] };
const [name, library] = kinds[sanitizers] ?? [];
if (!name) throw new Error(`sanitizers are ${Object.keys(kinds).join(" or ")}, not ${sanitizers}`);
for (const file of files) if (!existsSync(`${root}${file}`)) throw new Error(`no such test: ${file}`);

function run(env, ...args) {
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  if (status !== 0) process.exit(status ?? 1);
}

// node-gyp-build finds the addon in $NABLA_PREBUILD/build/Debug.
const folder = `build-${name}`;
const cmake = ["build", "-D", "-O", `${folder}/build`, `--CDNABLA_SANITIZE=${sanitizers}`];
run({}, "node_modules/cmake-js/bin/cmake-js", ...cmake);

const env = {
  NABLA_PREBUILD: `${root}${folder}`,
  LD_PRELOAD: execFileSync("g++", [`-print-file-name=${library}`], { encoding: "utf8" }).trim(),
  ASAN_OPTIONS: "detect_leaks=0", // Node frees little at exit; what kernels allocate is scratch, held by the pool
  UBSAN_OPTIONS: "print_stacktrace=1",
  TSAN_OPTIONS: "halt_on_error=1 ignore_noninstrumented_modules=1",
};
// V8's parallel collector races with itself in ways that are its own affair and are reported all the same.
const quiet = sanitizers === "thread" ? ["--single-threaded-gc"] : [];
const vitest = [
  "run",
  "--typecheck.enabled=false",
  "--testTimeout=300000",
  ...quiet.map((flag) => `--execArgv=${flag}`),
];
run(env, ...quiet, "node_modules/vitest/vitest.mjs", ...vitest, ...files);
