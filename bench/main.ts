// npm run bench: kernels against the machine, training steps against their floor and the peers, a server that trains; each
// group in one interleaved run, written to results/.
import { seed, setThreads, threads } from "nabla";
import { choice, integer, path, run } from "../examples/options.ts";
import { accuracy } from "./accuracy.ts";
import { gemm } from "./gemm.ts";
import { generation } from "./generate.ts";
import { elementwise, type Found, overhead } from "./kernels.ts";
import { half, integer as quantized } from "./precision.ts";
import { raceDigits } from "./race.ts";
import { circumstances, markdown, save } from "./report.ts";
import { attention, rows } from "./rows.ts";
import { server } from "./server.ts";
import { training } from "./training.ts";

const names = [
  "all",
  "kernels",
  "gemm",
  "half",
  "integer",
  "elementwise",
  "rows",
  "attention",
  "overhead",
  "accuracy",
  "digits",
  "training",
  "server",
  "generation",
] as const;
const options = {
  part: choice(names, "what to measure; all, kernels, training, server and generation write results/"),
  threads: integer(threads(), "threads for the second half of the tables", { max: 256 }),
  seconds: integer(6, "how long the digit race runs"),
  models: path(
    "A,B",
    undefined,
    "the training steps, of xor,mlp,digits,cnn,gpt,lstm,gpt2, or who writes, of gpt,gpt2; all unless given",
  ),
  peers: path(
    "A,B",
    undefined,
    'whom to train against, as in "PyTorch eager,jax-js Wasm"; all unless given, "none" for nobody',
  ),
};
const list = (text: string | undefined) => text?.split(",").map((name) => name.trim());

interface Part {
  name: (typeof names)[number];
  /** Of the file in results/. */
  group: "kernels" | "training" | "server" | "generation";
  measure(): Found | Promise<Found>;
}

await run(
  { call: "npm run bench --", about: "Measures kernels and training against the machine and against peers.", options },
  async (values) => {
    seed(0);
    const both = [...new Set([1, values.threads])];
    const chosen = Object.fromEntries(
      (["models", "peers"] as const).flatMap((key) => (values[key] ? [[key, list(values[key])]] : [])),
    );
    const parts: Part[] = [
      ...both.map((n): Part => ({ name: "gemm", group: "kernels", measure: () => withThreads(n, () => gemm(n)) })),
      ...both.map((n): Part => ({ name: "half", group: "kernels", measure: () => withThreads(n, () => half(n)) })),
      ...both.map(
        (n): Part => ({ name: "integer", group: "kernels", measure: () => withThreads(n, () => quantized(n)) }),
      ),
      { name: "elementwise", group: "kernels", measure: () => withThreads(1, elementwise) },
      { name: "rows", group: "kernels", measure: () => withThreads(1, rows) },
      ...both.map(
        (n): Part => ({ name: "attention", group: "kernels", measure: () => withThreads(n, () => attention(n)) }),
      ),
      { name: "overhead", group: "kernels", measure: overhead },
      { name: "accuracy", group: "kernels", measure: accuracy },
      { name: "digits", group: "training", measure: () => raceDigits(values.seconds) },
      ...both.map((n): Part => ({ name: "training", group: "training", measure: () => training(n, chosen) })),
      { name: "server", group: "server", measure: () => server() },
      ...both.map(
        (n): Part => ({
          name: "generation",
          group: "generation",
          measure: () => withThreads(n, () => generation(n, chosen.models)),
        }),
      ),
    ];
    console.log(circumstances());
    const figures: Record<string, number> = {};
    const titles = {
      kernels: "nabla: kernels against the machine",
      training: "nabla: training steps",
      server: "nabla: a server that trains",
      generation: "nabla: language models that write",
    };
    for (const [group, title] of Object.entries(titles)) {
      const found: Found = { tables: [], bars: [], figures };
      const whole = values.part === "all" || values.part === group;
      for (const part of parts) {
        if (part.group !== group || (!whole && values.part !== part.name)) continue;
        const { tables, bars, figures: more } = await part.measure();
        for (const table of tables) console.log(`\n${markdown(table)}`);
        found.tables.push(...tables);
        found.bars.push(...bars);
        Object.assign(figures, more);
      }
      if (!whole || values.models) continue;
      for (const file of save(group, found.tables, title, found.bars)) console.log(`wrote ${file}`);
    }
    return figures;
  },
);

async function withThreads<R>(n: number, f: () => R | Promise<R>): Promise<R> {
  const before = threads();
  setThreads(n);
  try {
    return await f();
  } finally {
    setThreads(before);
  }
}
