// How the examples show their charts: in the terminal, and as SVG files where a folder is given.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Chart } from "nabla/plot";
import { path, Refusal } from "./options.ts";

/** The option --svg of every example that draws. */
export const svg = path("DIR", undefined, "folder for the pictures as SVG");

/** Prints each chart, and writes it to DIR/name.svg. */
export function show(charts: Readonly<Record<string, Chart>>, dir: string | undefined): void {
  for (const chart of Object.values(charts)) {
    const width = Math.min(process.stdout.columns ?? 90, 100);
    console.log(`${chart.text({ width: Math.max(width, 40), color: process.stdout.isTTY === true })}\n`);
  }
  if (dir === undefined) return;
  try {
    mkdirSync(dir, { recursive: true });
    for (const [name, chart] of Object.entries(charts)) writeFileSync(join(dir, `${name}.svg`), chart.svg());
  } catch (error) {
    throw new Refusal(`${dir} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
  console.log(
    `saved   ${Object.keys(charts)
      .map((name) => join(dir, `${name}.svg`))
      .join(", ")}`,
  );
}
