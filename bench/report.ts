// What a bench found, as a Markdown table and a bar chart, in bench/results/.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { isa, threads } from "nabla";

export interface Table {
  title: string;
  columns: string[];
  rows: (string | number)[][];
  /** Sentences below the table. */
  notes?: readonly string[];
}
export interface Bar {
  label: string;
  /** Of the limit, 0 to 1. */
  share: number;
  text: string;
}

const folder = new URL("results/", import.meta.url);

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "no commit";
  }
}

/** Machine, instruction set, threads and commit: without them a figure says nothing. */
export const circumstances = (): string =>
  `${cpus()[0]?.model.trim() ?? "unknown processor"}, ${cpus().length} cores; ${isa()}, ${threads()} threads; Node ${process.versions.node}; ${commit()}`;

const cell = (x: string | number): string =>
  typeof x === "number" ? (Math.abs(x) >= 100 ? x.toFixed(0) : x.toPrecision(3)) : x;

export function markdown({ title, columns, rows, notes = [] }: Table): string {
  const lines = [columns, columns.map((_, i) => (i === 0 ? "---" : "---:")), ...rows.map((r) => r.map(cell))];
  const below = notes.map((note) => `\n${note}.\n`).join("");
  return `## ${title}\n\n${lines.map((l) => `| ${l.join(" | ")} |`).join("\n")}\n${below}`;
}

const safe = (text: string): string => text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]!);

/** Horizontal bars from 0 to the limit at 1, which is a line. */
export function svg(title: string, bars: readonly Bar[]): string {
  const [left, wide, row, top] = [230, 420, 22, 48];
  const height = top + bars.length * row + 20;
  const body = bars.map(({ label, share, text }, i) => {
    const y = top + i * row;
    const length = Math.max(1, Math.min(share, 1.15) * wide);
    return [
      `<text x="${left - 8}" y="${y + 14}" text-anchor="end">${safe(label)}</text>`,
      `<rect x="${left}" y="${y + 3}" width="${length.toFixed(1)}" height="${row - 7}" fill="#3b6fb6"/>`,
      `<text x="${(left + length + 6).toFixed(1)}" y="${y + 14}" fill="#444">${safe(text)}</text>`,
    ].join("");
  });
  const limit = `<line x1="${left + wide}" x2="${left + wide}" y1="${top - 4}" y2="${height - 16}" stroke="#b63b3b" stroke-dasharray="4 3"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="860" height="${height}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/><text x="12" y="24" font-size="15">${safe(title)}</text><text x="${left + wide}" y="${top - 8}" text-anchor="middle" fill="#b63b3b">measured limit</text>${limit}${body.join("")}</svg>\n`;
}

/** Writes name.md, and name.svg where there are bars; returns their paths. */
export function save(name: string, tables: readonly Table[], title: string, bars: readonly Bar[]): string[] {
  mkdirSync(folder, { recursive: true });
  const text = `# ${title}\n\n${circumstances()}\n\n${tables.map(markdown).join("\n")}\nEach figure is the median of short slices taken in turns with the others.\n`;
  const files: [string, string][] = [
    [`${name}.md`, text],
    ...(bars.length > 0 ? [[`${name}.svg`, svg(title, bars)] as [string, string]] : []),
  ];
  return files.map(([file, data]) => {
    const target = fileURLToPath(new URL(file, folder));
    writeFileSync(target, data);
    return target;
  });
}
