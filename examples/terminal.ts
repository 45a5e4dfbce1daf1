// Pictures in a terminal: each function returns lines of text. Progress is the one that writes.

const blocks = " ▏▎▍▌▋▊▉█";

/** A bar of `share` (0 to 1) of `width` cells, in steps of an eighth of a cell. */
function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share || 0)) * width * 8);
  const rest = eighths % 8;
  return "█".repeat(Math.floor(eighths / 8)) + (rest > 0 ? blocks[rest]! : "");
}

/** A short number: three digits, in scientific form when far from 1. */
export function short(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

/** Seconds as 8.3s, 1m05s or 2h03m. */
export function duration(seconds: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`;
  if (seconds < 3599.5) return `${Math.floor(Math.round(seconds) / 60)}m${two(Math.round(seconds) % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two((seconds % 3600) / 60)}m`;
}

/**
 * A bar chart, one line per row. With `log`, a bar is as long as the power of ten of its value above `floor`, so
 * gradients from 1e-12 to 1 share one picture.
 */
export function bars(
  rows: readonly (readonly [label: string, value: number])[],
  { width = 40, log = false, floor = 1e-12 }: { width?: number; log?: boolean; floor?: number } = {},
): string[] {
  const top = Math.max(...rows.map(([, value]) => value));
  const share = (value: number): number => (log ? Math.log(value / floor) / Math.log(top / floor) : value / top);
  const wide = Math.max(...rows.map(([label]) => label.length));
  return rows.map(
    ([label, value]) => `${label.padStart(wide)} ${bar(share(value), width).padEnd(width)} ${short(value)}`,
  );
}

/** A picture of bytes (255 is ink) in half blocks: two pixels above each other in one cell. */
export function picture(pixels: ArrayLike<number>, rows: number, columns: number): string[] {
  const dark = (y: number, x: number): number => (y < rows && pixels[y * columns + x]! >= 96 ? 1 : 0);
  return Array.from({ length: Math.ceil(rows / 2) }, (_, y) =>
    Array.from({ length: columns }, (_, x) => " ▀▄█"[dark(2 * y, x) + 2 * dark(2 * y + 1, x)]).join(""),
  );
}

/** Pictures side by side; short ones are filled up with spaces. */
export function beside(pictures: readonly string[][], gap = 2): string[] {
  const rows = Math.max(...pictures.map((lines) => lines.length));
  const wide = pictures.map((lines) => Math.max(...lines.map((line) => line.length)));
  return Array.from({ length: rows }, (_, y) =>
    pictures
      .map((lines, i) => (lines[y] ?? "").padEnd(wide[i]!))
      .join(" ".repeat(gap))
      .trimEnd(),
  );
}

/** A confusion matrix: rows are what a thing is, columns what it was taken for, the last column the share found. */
export function confusion(counts: readonly (readonly number[])[]): string[] {
  const cell = Math.max(4, ...counts.flat().map((count) => String(count).length + 1));
  const head = counts.map((_, i) => String(i).padStart(cell)).join("");
  const rows = counts.map((row, i) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count) => (count === 0 ? "·" : String(count)).padStart(cell)).join("");
    return `${String(i).padStart(5)} │${cells} │ ${total ? `${((100 * row[i]!) / total).toFixed(1)}%`.padStart(6) : "     -"}`;
  });
  return [`is\\as │${head} │  found`, `──────┼${"─".repeat(head.length)}─┼───────`, ...rows];
}

export interface Series {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  /** How a point is drawn; without it, a fine line of braille dots through the points in order. */
  mark?: string;
}

/** Functions and points in one frame of `width` x `height` cells. */
export function plot(series: readonly Series[], { width = 64, height = 16 } = {}): string[] {
  const range = (axis: "x" | "y"): readonly [number, number] => {
    const all = series.flatMap((one) => Array.from(one[axis])).filter(Number.isFinite);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    return low < high ? [low, high] : [low - 1, high + 1];
  };
  const [[left, right], [low, high]] = [range("x"), range("y")];
  // Dots: 2 columns and 4 rows in each cell.
  const column = (x: number): number => ((x - left) / (right - left)) * (2 * width - 1);
  const row = (y: number): number => ((high - y) / (high - low)) * (4 * height - 1);
  const dots = new Uint8Array(width * height);
  const marks = new Map<number, string>();
  const bit = [1, 8, 2, 16, 4, 32, 64, 128];
  for (const { x, y, mark } of series) {
    const points = Array.from(x, (value, i) => [column(value), row(y[i]!)] as const).filter(([a, b]) =>
      Number.isFinite(a + b),
    );
    let [a0, b0] = points[0] ?? [0, 0];
    for (const [a, b] of points) {
      if (mark) marks.set(Math.floor(Math.round(b) / 4) * width + Math.floor(Math.round(a) / 2), mark);
      const steps = mark ? -1 : Math.max(1, Math.ceil(Math.max(Math.abs(a - a0), Math.abs(b - b0))));
      for (let step = 0; step <= steps; step++) {
        const [dx, dy] = [Math.round(a0 + ((a - a0) * step) / steps), Math.round(b0 + ((b - b0) * step) / steps)];
        dots[(dy >> 2) * width + (dx >> 1)]! |= bit[(dy & 3) * 2 + (dx & 1)]!;
      }
      [a0, b0] = [a, b];
    }
  }
  const cell = (i: number): string => (dots[i] ? String.fromCharCode(0x2800 + dots[i]) : (marks.get(i) ?? " "));
  const name = (y: number): string => (y === 0 ? short(high) : y === height - 1 ? short(low) : "");
  const lines = Array.from({ length: height }, (_, y) => {
    const cells = Array.from({ length: width }, (_, x) => cell(y * width + x)).join("");
    return `${name(y).padStart(8)} │${cells}`.trimEnd();
  });
  const [from, to] = [short(left), short(right)];
  return [
    ...lines,
    `${" ".repeat(8)} └${"─".repeat(width)}`,
    `${" ".repeat(10)}${from}${to.padStart(width - from.length)}`,
  ];
}

/** The part of a stream that Progress needs. */
export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/**
 * How far a long run is: on a terminal one line drawn again and again, ten times a second at most, else a plain line
 * at every tenth of the way and every ten seconds. `now` gives milliseconds.
 */
export class Progress {
  readonly total: number;
  readonly out: Output;
  readonly now: () => number;
  #start: number;
  #last: number;
  #lines = 0;

  constructor(total: number, out: Output = process.stdout, now: () => number = () => performance.now()) {
    this.total = total;
    this.out = out;
    this.now = now;
    this.#start = now();
    this.#last = out.isTTY ? Number.NEGATIVE_INFINITY : this.#start;
  }

  /** `done` samples of the total; `news` is what else to say, such as the loss. */
  update(done: number, news: () => string): void {
    const now = this.now();
    const finished = done >= this.total;
    const tenth = Math.floor((10 * done) / this.total);
    const due = this.out.isTTY ? now - this.#last >= 100 : now - this.#last >= 10_000 || tenth > this.#lines;
    if (!due && !finished) return;
    this.#last = now;
    this.#lines = tenth;
    const seconds = (now - this.#start) / 1000;
    const rate = done / seconds;
    const left = finished ? `took ${duration(seconds)}` : `ETA ${duration((this.total - done) / rate)}`;
    const text = `${news()}  ${Math.round(rate).toLocaleString("en")} samples/s  ${left}`;
    const percent = `${Math.floor((100 * done) / this.total)}%`.padStart(4);
    if (!this.out.isTTY) this.out.write(`${percent}  ${text}\n`);
    else {
      const room = (this.out.columns ?? 80) - text.length - 9;
      const drawn = room < 5 ? "" : `▕${bar(done / this.total, Math.min(30, room)).padEnd(Math.min(30, room))}▏`;
      this.out.write(`\r\x1b[K${drawn}${percent}  ${text}${finished ? "\n" : ""}`);
    }
  }
}
