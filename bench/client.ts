// Asks a server at a steady rate and measures from the moment each request was due, so that a stalled server is charged
// for the requests that had to wait: client.ts PORT SECONDS RATE. Sends what it saw to its parent.
import { Agent, get } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { Latency } from "./server.ts";

const [port, seconds, rate] = process.argv.slice(2).map(Number) as [number, number, number];
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function ask(due: number): Promise<number> {
  return new Promise((done, failed) => {
    const request = get({ host: "127.0.0.1", port, path: "/", agent }, (response) => {
      response.resume();
      response.once("end", () => done(performance.now() - due));
    });
    request.once("error", failed);
  });
}

const times: number[] = [];
let failures = 0;
const pending: Promise<void>[] = [];
// The first half second opens connections and is not counted.
const start = performance.now();
const warm = 500;
for (let i = 0; ; i++) {
  const due = start + (1000 * i) / rate;
  if (due - start > warm + 1000 * seconds) break;
  const early = due - performance.now();
  if (early > 0) await wait(early);
  pending.push(
    ask(due).then(
      (ms) => {
        if (due - start > warm) times.push(ms);
      },
      () => {
        failures++;
      },
    ),
  );
}
await Promise.all(pending);
times.sort((a, b) => a - b);
const at = (p: number) => times[Math.min(times.length - 1, Math.floor(p * times.length))] ?? Number.NaN;
const seen: Latency = { requests: times.length, failures, p50: at(0.5), p99: at(0.99) };
process.send!(seen, () => process.exit(0));
