// Runs the golden values: every case whose op, optimizer or model the library has, against the tolerance it came with.
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Option, path, Refusal, run } from "../../examples/options.ts";
import type { Case } from "./case.ts";
import { runCase } from "./case.ts";
import { forward } from "./forms.ts";
import { model } from "./models.ts";
import { onnx } from "./onnx.ts";
import { optim } from "./optim.ts";
import { Report } from "./outcome.ts";
import { readJson, readSafetensors } from "./reader.ts";
import { table } from "./table/index.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The folder of golden values, or why there is none. */
export function folder(named: string | undefined): { at: string } | { reason: string } {
  const tried = named ? [resolve(named)] : ["../shared/golden/dev", "../shared/golden"].map((p) => join(root, p));
  const at = tried.find((p) => existsSync(join(p, "ops")) || existsSync(join(p, "MANIFEST.json")));
  return at ? { at } : { reason: `no golden values: ${tried.join(" and ")} not found; NABLA_GOLDEN names the folder` };
}

interface FamilyFile {
  readonly family: string;
  readonly tensors: string;
  readonly cases: readonly Case[];
}
/** Runs ops/NAME.json. */
async function ops(at: string, name: string, report: Report): Promise<void> {
  const { tensors: file, cases } = readJson<FamilyFile>(at, "ops", `${name}.json`);
  const tensors = readSafetensors(join(at, "ops", file));
  const call = forward(table);
  for (const c of cases) await report.run(`ops/${name}`, c.id, c.op, () => runCase(c, tensors, call));
}

/** The parts of a folder by name: "ops/unary", and what runs each. */
function parts(at: string, report: Report): Map<string, () => Promise<void>> {
  const list = new Map<string, () => Promise<void>>();
  const names = (sub: string) => (existsSync(join(at, sub)) ? readdirSync(join(at, sub)).sort() : []);
  for (const file of names("ops")) {
    const name = file.replace(".json", "");
    if (file.endsWith(".json") && name !== "MANIFEST") list.set(`ops/${name}`, () => ops(at, name, report));
  }
  for (const name of ["trajectories", "clipping", "schedules"])
    if (names("optim").includes(`${name}.json`)) list.set(`optim/${name}`, () => optim(at, name, report));
  for (const name of names("models"))
    if (!name.includes(".")) list.set(`models/${name}`, () => model(at, name, report));
  for (const file of names("onnx")) {
    const name = file.replace(".jsonl", "");
    if (file.endsWith(".jsonl")) list.set(`onnx/${name}`, () => onnx(at, name, report));
  }
  return list;
}

export async function golden(at: string, family?: string, only?: string): Promise<Report> {
  const report = new Report(only);
  const all = parts(at, report);
  const chosen = family === undefined ? [...all.keys()] : [...all.keys()].filter((name) => chosenBy(family, name));
  if (chosen.length === 0) throw new Refusal(`--family must be one of ${[...all.keys()].join(", ")}, got "${family}"`);
  for (const name of chosen) await all.get(name)!();
  return report;
}
const chosenBy = (family: string, name: string): boolean =>
  family.split(",").some((f) => name === f || name.split("/").includes(f));

const text = (shape: string, about: string): Option<string | undefined> => path(shape, undefined, about);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run(
    {
      call: "npm run test:golden --",
      about: "Compares nabla with the values trusted peers computed. NABLA_GOLDEN names their folder.",
      options: {
        family: text("NAME", "only these families, for example ops/unary or optim, separated by commas"),
        only: text("ID", "only cases whose id contains this"),
      },
    },
    async ({ family, only }) => {
      const found = folder(process.env.NABLA_GOLDEN);
      if ("reason" in found) console.log(found.reason);
      const report = "at" in found ? await golden(found.at, family, only) : new Report();
      report.print(console.log);
      if (report.total.failed > 0) process.exitCode = 1;
      const families = Object.fromEntries(report.families);
      return { ...report.total, families, failures: report.failures, skips: report.skipsByOp() };
    },
  );
}
