// The chat server, started as a user starts it: many readers at once, one that leaves, requests that are none, its end.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const env = { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.test.json` };
const call = (...args: string[]) => ["--import", "tsx", "examples/chat.ts", ...args];

/** A server on a free port, once it listens. */
async function start(...args: string[]): Promise<{ server: ChildProcess; url: string; lines: string[] }> {
  const server = spawn(process.execPath, call("--port", "0", "--json", "--threads", "1", ...args), { cwd: root, env });
  const lines: string[] = [];
  server.stderr?.on("data", (text) => lines.push(String(text)));
  for await (const line of createInterface({ input: server.stdout! })) {
    lines.push(line);
    const url = /listening on (\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    server.stdout?.on("data", (text) => lines.push(String(text)));
    return { server, url, lines };
  }
  throw new Error(lines.join("\n"));
}
type Json = Record<string, unknown>;
const post = (url: string, path: string, body: unknown, signal?: AbortSignal) =>
  fetch(url + path, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...(signal && { signal }),
  });
/** The data of server-sent events as they come. */
async function* events(response: Response): AsyncGenerator<string> {
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (text + chunk).split("\n\n");
    text = parts.pop()!;
    for (const part of parts) yield part.replace(/^data: /, "");
  }
  expect(text).toBe("");
}
const metrics = async (url: string): Promise<Record<string, number>> => {
  const lines = (await (await fetch(`${url}/metrics`)).text()).trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.split(" ")).map(([name, x]) => [name, Number(x)]));
};

describe("the chat server", () => {
  let url: string;
  let server: ChildProcess;
  let lines: string[];
  const options = ["--steps", "3", "--streams", "4", "--queue", "5", "--tokens", "200", "--body", "5000"];
  beforeAll(async () => {
    ({ url, server, lines } = await start(...options, "--grace", "20"));
  }, 60_000);
  afterAll(() => {
    server.kill("SIGKILL");
  });

  it("gives each of eight readers its own text, also when one of them leaves", async () => {
    const asked = (i: number) => ({ prompt: `user: ${"ab".repeat(i)}\n`, maxTokens: 20 + i, seed: i });
    const alone: string[] = [];
    for (let i = 0; i < 8; i++) {
      const { text, tokens, reason } = (await (await post(url, "/generate", asked(i))).json()) as Json;
      expect([tokens, reason]).toEqual([20 + i, "length"]);
      alone.push(text as string);
    }
    const streamed = async (i: number) => {
      const controller = new AbortController();
      const response = await post(url, "/generate", { ...asked(i), stream: true }, controller.signal);
      expect(response.headers.get("content-type")).toBe("text/event-stream");
      let text = "";
      for await (const data of events(response)) {
        const { text: piece, ...rest } = JSON.parse(data) as Json;
        if (piece === undefined) expect(rest).toEqual({ done: true, tokens: 20 + i, reason: "length" });
        else text += piece;
        if (i === 3 && text.length > 5) {
          controller.abort();
          return undefined;
        }
      }
      return text;
    };
    const found = await Promise.all([...alone.keys()].map(streamed));
    expect(found).toEqual(alone.map((text, i) => (i === 3 ? undefined : text)));
    await expect.poll(() => metrics(url)).toMatchObject({ nabla_active: 0, nabla_waiting: 0 });
  });

  it("answers as OpenAI does, whole and in pieces", async () => {
    const body = { prompt: "user: hello\n", max_tokens: 9, seed: 5 };
    const whole = (await (await post(url, "/v1/completions", body)).json()) as Json & { choices: Json[] };
    expect(whole).toMatchObject({
      object: "text_completion",
      model: "small",
      choices: [{ index: 0, finish_reason: "length" }],
      usage: { prompt_tokens: 12, completion_tokens: 9, total_tokens: 21 },
    });
    const data: string[] = [];
    for await (const d of events(await post(url, "/v1/completions", { ...body, stream: true }))) data.push(d);
    expect(data.pop()).toBe("[DONE]");
    const parts = data.map((d) => (JSON.parse(d) as { choices: Json[] }).choices[0]!);
    expect(parts.map((p) => p.text).join("")).toBe(whole.choices[0]!.text);
    expect(parts.map((p) => p.finish_reason)).toEqual([...parts.slice(1).map(() => null), "length"]);
  });
  it("continues a conversation, and ends before a text that ends it", async () => {
    const body = { messages: [{ role: "user", content: "hello" }], max_tokens: 12, seed: 2, temperature: 2 };
    const chat = async (more: Json) =>
      (await (await post(url, "/v1/chat/completions", { ...body, ...more })).json()) as { choices: Json[] };
    const [{ message }] = (await chat({})).choices as [{ message: { role: string; content: string } }];
    expect(message).toMatchObject({ role: "assistant", content: expect.stringMatching(/^[\s\S]{12}$/) });
    const stop = message.content.slice(6, 8);
    expect((await chat({ stop })).choices[0]).toMatchObject({
      message: { content: message.content.slice(0, message.content.indexOf(stop)) },
      finish_reason: "stop",
    });
    const first = events(await post(url, "/v1/chat/completions", { ...body, stream: true }));
    expect(JSON.parse((await first.next()).value as string)).toMatchObject({
      object: "chat.completion.chunk",
      choices: [{ delta: { content: message.content.slice(0, 1) } }],
    });
    await first.return(undefined);
  });

  it.each([
    ["/generate", "no json", 400, "the body is not JSON"],
    ["/generate", "[1]", 400, "the body is no JSON object"],
    ["/generate", {}, 400, "prompt is missing"],
    ["/generate", { prompt: 5 }, 400, "prompt is no text"],
    ["/generate", { prompt: "a", temprature: 1 }, 400, 'there is no option "temprature"'],
    ["/generate", { prompt: "a", temperature: "hot" }, 400, "temperature is no number"],
    ["/generate", { prompt: "a", temperature: -1 }, 400, "temperature must be a number from 0"],
    ["/generate", { prompt: "a", maxTokens: 1.5 }, 400, "maxTokens must be a whole number"],
    ["/generate", { prompt: "a", maxTokens: 201 }, 400, "201 tokens are asked for, the most is 200"],
    ["/generate", { prompt: "a", stop: [1] }, 400, "stop is neither a text nor a list"],
    ["/generate", { prompt: "日本" }, 400, "does not know the character"],
    ["/generate", { prompt: "a".repeat(257), stream: true }, 400, "prompt 0 has 257 tokens, the context 256"],
    ["/generate", { prompt: "a".repeat(6000) }, 413, "the body has more than 5000 bytes"],
    ["/v1/completions", { prompt: "a", top_p: 2, stream: true }, 400, "topP must be"],
    ["/v1/chat/completions", { messages: [] }, 400, "messages is no list"],
    ["/v1/chat/completions", { messages: [{ role: "user" }] }, 400, "a message needs a role and a content"],
    ["/nowhere", {}, 404, "there is no /nowhere"],
    ["/toString", {}, 404, "there is no /toString"],
  ])("refuses at %s, number %#", async (path, body, status, sentence) => {
    const response = await post(url, path, body);
    const { error } = (await response.json()) as { error: { message: string } };
    expect([response.status, error.message]).toEqual([status, expect.stringContaining(sentence)]);
  });
  it("tells how it is, and what method a page takes", async () => {
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: "ok", model: "small" });
    expect(await (await fetch(`${url}/v1/models`)).json()).toMatchObject({ data: [{ id: "small" }] });
    expect((await fetch(`${url}/generate`)).status).toBe(404);
    expect((await fetch(`${url}/generate`, { method: "PUT" })).status).toBe(405);
    expect((await metrics(url)).nabla_requests).toBeGreaterThan(16);
  });

  it("lets so many wait and no more; a reader that takes nothing holds up nobody else", async () => {
    const controller = new AbortController();
    const body = { prompt: "a", maxTokens: 200, stream: true };
    // Four write and five wait: their readers take nothing, and the first pieces lie in the sockets.
    const slow = Array.from({ length: 9 }, () =>
      post(url, "/generate", body, controller.signal).catch(() => undefined),
    );
    await expect.poll(() => metrics(url)).toMatchObject({ nabla_active: 4, nabla_waiting: 5 });
    const refused = await post(url, "/generate", body);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    controller.abort();
    await Promise.all(slow);
    await expect.poll(() => metrics(url)).toMatchObject({ nabla_active: 0, nabla_waiting: 0 });
    expect((await post(url, "/generate", { prompt: "a", maxTokens: 2 })).status).toBe(200);
  });
  it("outlives half a request", async () => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    socket.resume().end("POST /generate HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{");
    await once(socket, "close");
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });
  it("ends what is written when it is told to end, takes nothing new, and says what it did", async () => {
    const response = await post(url, "/generate", { prompt: "a", maxTokens: 100, stream: true });
    server.kill("SIGTERM");
    let data = "";
    for await (const d of events(response)) data = d;
    expect(JSON.parse(data)).toEqual({ done: true, tokens: 100, reason: "length" });
    const [code] = (await once(server, "exit")) as [number];
    expect(code).toBe(0);
    await expect(fetch(`${url}/health`)).rejects.toThrow();
    expect(JSON.parse(lines.join("\n").trim().split("\n").at(-1)!)).toMatchObject({ refused: expect.any(Number) });
  });
});

it("says how it is called, and what is wrong", () => {
  const run = (...args: string[]) => spawnSync(process.execPath, call(...args), { cwd: root, env, encoding: "utf8" });
  expect(run("--help").stdout).toMatch(/v1\/chat\/completions[\s\S]*--queue N/);
  expect(run("--port", "70000")).toMatchObject({ status: 1, stderr: expect.stringContaining("--port must be") });
  expect(run("--model", "/nowhere").status).toBe(1);
});
