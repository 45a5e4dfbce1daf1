// npm run bench: kernels against the machine, and training against pure JavaScript, in one interleaved run.
import { digits, seed, setThreads, threads } from "nabla";
import { choice, integer, run } from "../examples/options.ts";
import { elementwise, type Found, gemm, overhead } from "./kernels.ts";
import { race } from "./race.ts";
import { circumstances, markdown, save, type Table } from "./report.ts";

const options = {
  part: choice(["all", "gemm", "elementwise", "overhead", "digits"], "what to measure"),
  threads: integer(threads(), "threads for the second half of the GEMM table", { max: 256 }),
  seconds: integer(6, "how long the digit race runs"),
};

/** The digit MLP, 784-128-10, batch 32, Adam: steps a second against the same training in typed arrays. */
function raceDigits(seconds: number): Found {
  const batch = 32;
  const { images, labels } = digits(batch * 40, { seed: 1 });
  const pixels = Float32Array.from(images.data, (p) => p / 255);
  const marks = Int32Array.from(labels.data);
  const batches = Array.from({ length: 40 }, (_, i) => ({
    x: pixels.slice(i * batch * 784, (i + 1) * batch * 784),
    labels: marks.slice(i * batch, (i + 1) * batch),
  }));
  const course = { inputs: 784, hidden: 128, classes: 10, batch, batches, rule: { name: "adam", lr: 0.001 } as const };
  const before = threads();
  const rows: (string | number)[][] = [];
  const figures: Record<string, number> = {};
  for (const n of new Set([1, before])) {
    setThreads(n);
    const r = race(course, seconds);
    rows.push([
      `${n} thread${n > 1 ? "s" : ""}`,
      r.stepsPerSecond,
      r.jsStepsPerSecond,
      r.speedupOverJs,
      r.lossDifference.toExponential(1),
    ]);
    figures[`digits speed-up, ${n} threads`] = r.speedupOverJs;
  }
  setThreads(before);
  const columns = [
    "digit MLP 784-128-10, batch 32, Adam",
    "nabla steps/s",
    "JavaScript steps/s",
    "ratio",
    "largest loss difference",
  ];
  return { tables: [{ title: "Training against pure JavaScript", columns, rows }], bars: [], figures };
}

await run(
  { call: "npm run bench --", about: "Measures kernels against the machine and training against JavaScript.", options },
  (values) => {
    seed(0);
    const parts: [string, () => Found][] = [
      ["gemm", () => withThreads(1, () => gemm(1))],
      ["gemm", () => withThreads(values.threads, () => gemm(values.threads))],
      ["elementwise", () => withThreads(1, elementwise)],
      ["overhead", overhead],
      ["digits", () => raceDigits(values.seconds)],
    ];
    console.log(circumstances());
    const tables: Table[] = [];
    const bars: Found["bars"] = [];
    const figures: Record<string, number> = {};
    for (const [name, measure] of parts) {
      if (values.part !== "all" && values.part !== name) continue;
      const found = measure();
      for (const table of found.tables) console.log(`\n${markdown(table)}`);
      tables.push(...found.tables);
      bars.push(...found.bars);
      Object.assign(figures, found.figures);
    }
    if (values.part === "all") {
      for (const file of save("kernels", tables, "nabla: kernels against the machine", bars))
        console.log(`wrote ${file}`);
    }
    return figures;
  },
);

function withThreads<R>(n: number, f: () => R): R {
  const before = threads();
  setThreads(n);
  try {
    return f();
  } finally {
    setThreads(before);
  }
}
