// What a run says in a terminal: its numbers, what it runs on, how far it is. Charts are those of nabla/plot.
import { createHash } from "node:crypto";
import { isa, type Tensor, threads } from "nabla";

const blocks = " ▏▎▍▌▋▊▉█";

/** A bar of `share` (0 to 1) of `width` cells, in steps of an eighth of a cell. */
function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share || 0)) * width * 8);
  const rest = eighths % 8;
  return "█".repeat(Math.floor(eighths / 8)) + (rest > 0 ? blocks[rest]! : "");
}

/** 12,345. */
export const thousands = (x: number): string => x.toLocaleString("en");

/** avx512, 2 threads. */
export const machine = (): string => `${isa()}, ${threads()} ${threads() === 1 ? "thread" : "threads"}`;

/** The sha256 of every number of a state dict, in its order: equal runs end with equal sums. */
export function fingerprint(state: ReadonlyMap<string, Tensor>): string {
  const sum = createHash("sha256");
  for (const weight of state.values()) sum.update(weight.contiguous().dataSync());
  return sum.digest("hex");
}

/** Seconds as 8.3s, 1m05s or 2h03m. */
export function duration(seconds: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`;
  if (seconds < 3599.5) return `${Math.floor(Math.round(seconds) / 60)}m${two(Math.round(seconds) % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two((seconds % 3600) / 60)}m`;
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
    const text = `${news()}  ${thousands(Math.round(rate))} samples/s  ${left}`;
    const percent = `${Math.floor((100 * done) / this.total)}%`.padStart(4);
    if (!this.out.isTTY) this.out.write(`${percent}  ${text}\n`);
    else {
      const room = (this.out.columns ?? 80) - text.length - 9;
      const drawn = room < 5 ? "" : `▕${bar(done / this.total, Math.min(30, room)).padEnd(Math.min(30, room))}▏`;
      this.out.write(`\r\x1b[K${drawn}${percent}  ${text}${finished ? "\n" : ""}`);
    }
  }
}
