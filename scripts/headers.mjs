#!/usr/bin/env node
// node scripts/headers.mjs COMMAND [ARGUMENTS]: runs a build command with the C headers that came with this Node, where
// they did, so that node-gyp downloads none, and on every core.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

const prefix = dirname(dirname(process.execPath));
if (existsSync(join(prefix, "include", "node", "node_api.h"))) process.env.npm_config_nodedir ??= prefix;
process.env.JOBS ??= "max";
const [command, ...args] = process.argv.slice(2);
const { status, error } = spawnSync(command, args, { stdio: "inherit", shell: process.platform === "win32" });
if (error) throw error;
process.exitCode = status ?? 1;
