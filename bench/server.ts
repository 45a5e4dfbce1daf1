// A web server that trains: requests at a steady rate from another process, while this one serves them and trains a
// classifier. One thread of kernels, so that two cores are enough: one for the event loop, one for the steps.
import { fork } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate as turn, setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { compile, setThreads, threads } from "nabla";
import type { Found } from "./kernels.ts";
import { type Batch, type Model, models, trainer } from "./models.ts";

/** What the client saw: milliseconds from the moment a request was due to its answer. */
export interface Latency {
  requests: number;
  failures: number;
  p50: number;
  p99: number;
}
interface Seen extends Latency {
  loop50: number;
  loop99: number;
  steps: number;
  seconds: number;
}

function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const body = JSON.stringify({ path: request.url, at: Date.now() });
    response.writeHead(200, { "content-type": "application/json" }).end(body);
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done(server)));
}

function load(port: number, seconds: number, rate: number): Promise<Latency> {
  const client = fork(fileURLToPath(new URL("client.ts", import.meta.url)), [`${port}`, `${seconds}`, `${rate}`], {
    execArgv: ["--import", "tsx"],
  });
  return new Promise((done, failed) => {
    client.once("message", (seen) => done(seen as Latency));
    client.once("error", failed);
    client.once("exit", (code) => failed(new Error(`the client ended with ${code}`)));
  });
}

type Mode = "idle" | "compiled" | "eager, a step a turn";

/** Trains until told to end; steps taken. */
async function train(mode: Mode, model: Model, batches: readonly Batch[], running: () => boolean): Promise<number> {
  if (mode === "idle") return 0;
  const eager = trainer(model).step;
  const compiled = compile(eager);
  let steps = 0;
  while (running()) {
    const { x, y } = batches[steps++ % batches.length]!;
    if (mode === "compiled") await compiled(x, y);
    else {
      eager(x, y);
      await turn();
    }
  }
  return steps;
}

async function measure(mode: Mode, model: Model, seconds: number, rate: number): Promise<Seen> {
  const server = await serve();
  const batches = Array.from({ length: 8 }, () => model.batch());
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let running = true;
  const started = performance.now();
  const training = train(mode, model, batches, () => running);
  await wait(500); // recorded and warm
  delay.enable();
  const seen = await load((server.address() as AddressInfo).port, seconds, rate);
  delay.disable();
  running = false;
  const steps = await training;
  server.closeAllConnections();
  server.close();
  // The sampler's own period is 1 ms: what is over it is delay.
  const loop = (p: number) => Math.max(0, delay.percentile(p) / 1e6 - 1);
  return { ...seen, loop50: loop(50), loop99: loop(99), steps, seconds: (performance.now() - started) / 1000 };
}

/** Requests and training in one process: latency of requests and delay of the event loop, idle, compiled and eager. */
export async function server({ seconds = 5, rate = 300 } = {}): Promise<Found> {
  const before = threads();
  setThreads(1);
  const found: Found = { tables: [], bars: [], figures: {} };
  const rows: (string | number)[][] = [];
  try {
    for (const name of ["digits", "mlp"]) {
      const model = models.find((m) => m.name === name)!;
      for (const mode of ["idle", "compiled", "eager, a step a turn"] as const) {
        if (mode === "idle" && name !== "digits") continue;
        const seen = await measure(mode, model, seconds, rate);
        const label = mode === "idle" ? "no training" : `${name}: ${mode}`;
        rows.push([label, seen.p50, seen.p99, seen.loop50, seen.loop99, seen.steps / seen.seconds, seen.failures]);
        for (const key of ["p50", "p99", "loop99"] as const) found.figures[`server ${label} ${key} ms`] = seen[key];
      }
    }
  } finally {
    setThreads(before);
  }
  const columns = ["training", "request p50, ms", "p99", "event loop p50, ms", "p99", "steps/s", "failed requests"];
  found.tables.push({ title: `A server that trains, ${rate} requests a second`, columns, rows });
  return found;
}
