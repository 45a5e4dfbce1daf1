// A server that writes: small models trained at its start or a Hugging Face folder, over HTTP with server-sent events.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ContinuousBatch, detokenize, seed, setThreads } from "nabla";
import { integer, path, run } from "./options.ts";
import { conversation, learned, loaded, turn, type Writer } from "./writer.ts";

const program = {
  call: "node --import tsx examples/chat.ts",
  about: `Serves a language model. Concurrent requests share each step of decoding; a request that goes away is aborted.
  POST /generate             {"prompt": "user: hello\\nassistant:", "maxTokens": 40, "stream": true}
  POST /v1/completions       as OpenAI has it: prompt, max_tokens, temperature, top_p, stop, seed, stream
  POST /v1/chat/completions  the same with messages
  GET  /health, /metrics, /v1/models`,
  options: {
    model: path("DIR", undefined, "a Hugging Face folder: config.json, model.safetensors, tokenizer.json"),
    data: path("FILE", undefined, "a text that a small model learns, letter by letter; without it a few answers"),
    steps: integer(400, "steps of learning", { min: 0, max: 1_000_000 }),
    host: path("NAME", "127.0.0.1", "the address to listen on"),
    port: integer(8080, "the port; 0 for any that is free", { min: 0, max: 65535 }),
    streams: integer(8, "texts that grow at once", { max: 1024 }),
    queue: integer(64, "requests that may wait; more are told to come again", { min: 0, max: 1_000_000 }),
    context: integer(256, "tokens a text may look back on", { max: 1_000_000 }),
    tokens: integer(512, "the most tokens a request may ask for", { max: 1_000_000 }),
    body: integer(65_536, "the most bytes of a request", { max: 2 ** 30 }),
    grace: integer(10, "seconds that texts have to end in after SIGTERM or SIGINT", { min: 0, max: 3600 }),
    threads: integer(undefined, "threads of the kernels", { max: 1024 }),
    seed: integer(0, "seed of the weights and of requests that have none", { min: 0, max: 2 ** 31 - 1 }),
  },
} as const;

/** A request that is answered with a sentence. */
class Refused extends Error {
  readonly status: number;
  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}
type Fields = Readonly<Record<string, unknown>>;

async function bodyOf(request: IncomingMessage, most: number): Promise<Fields> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= most) chunks.push(chunk);
    // The rest is read all the same, or the client would not hear the answer; but not without end.
    else if (size > 64 * most) request.destroy();
  }
  if (size > most) throw new Refused(413, `the body has more than ${most} bytes`);
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    throw new Refused(400, "the body is not JSON in UTF-8");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new Refused(400, "the body is no JSON object");
  return body as Fields;
}

function numberIn(fields: Fields, name: string): number | undefined {
  const x = fields[name] ?? undefined;
  if (x === undefined || typeof x === "number") return x;
  throw new Refused(400, `${name} is no number`);
}
function textIn(fields: Fields, name: string): string {
  const x = fields[name];
  if (typeof x === "string" && x !== "") return x;
  throw new Refused(400, x === undefined ? `${name} is missing` : `${name} is no text with something in it`);
}
function textsIn(fields: Fields, name: string): string[] {
  const list = [fields[name] ?? []].flat();
  if (list.length <= 16 && list.every((x) => typeof x === "string")) return list as string[];
  throw new Refused(400, `${name} is neither a text nor a list of at most 16 texts`);
}

/** What is asked for, whatever way it was asked. */
interface Wanted {
  readonly prompt: string;
  readonly stop: readonly string[];
  readonly stream: boolean;
  readonly options: { readonly maxTokens?: number | undefined; readonly [name: string]: number | undefined };
}
interface Usage {
  prompt: number;
  tokens: number;
  /** Why the text ended. */
  reason: "stop" | "length";
}
/** A way to ask and to be answered. */
interface Form {
  read(fields: Fields): Wanted;
  piece(text: string): object;
  last(usage: Usage): object;
  whole(text: string, usage: Usage): object;
  /** What ends a stream of events. */
  readonly end?: string;
}

const choices = ["maxTokens", "temperature", "topK", "topP", "minP", "repetitionPenalty", "seed"];
const own: Form = {
  read(fields) {
    const unknown = Object.keys(fields).find((name) => ![...choices, "prompt", "stop", "stream"].includes(name));
    if (unknown !== undefined) throw new Refused(400, `there is no option ${JSON.stringify(unknown)}`);
    const options = Object.fromEntries(choices.map((name) => [name, numberIn(fields, name)]));
    return { prompt: textIn(fields, "prompt"), stop: textsIn(fields, "stop"), stream: fields.stream === true, options };
  },
  piece: (text) => ({ text }),
  last: ({ tokens, reason }) => ({ done: true, tokens, reason }),
  whole: (text, { tokens, reason }) => ({ text, tokens, reason }),
};
const written = { temperature: "temperature", topK: "top_k", topP: "top_p", minP: "min_p", seed: "seed" };
let requests = 0;
/** OpenAI's forms: a text, or messages. */
function openai(name: string, chat: boolean): Form {
  const [id, created] = [`cmpl-${++requests}`, Math.floor(Date.now() / 1000)];
  const object = chat ? "chat.completion" : "text_completion";
  const head = { id, created, model: name };
  const choice = (kind: string, content: string | undefined, reason: string | null) => {
    const part = content === undefined ? {} : { content };
    const said = kind === "delta" ? { delta: part } : { message: { role: "assistant", ...part } };
    return { index: 0, ...(chat ? said : { text: content ?? "" }), finish_reason: reason };
  };
  const events = chat ? "chat.completion.chunk" : object;
  return {
    read(fields) {
      const named = Object.entries(written).map(([to, from]) => [to, numberIn(fields, from)]);
      const maxTokens = numberIn(fields, "max_completion_tokens") ?? numberIn(fields, "max_tokens");
      const stop = [...textsIn(fields, "stop"), ...(chat ? ["\nuser:"] : [])];
      const prompt = chat ? promptOf(fields.messages) : textIn(fields, "prompt");
      return { prompt, stop, stream: fields.stream === true, options: { maxTokens, ...Object.fromEntries(named) } };
    },
    piece: (content) => ({ ...head, object: events, choices: [choice("delta", content, null)] }),
    last: ({ reason }) => ({ ...head, object: events, choices: [choice("delta", undefined, reason)] }),
    whole: (content, { prompt, tokens, reason }) => ({
      ...head,
      object,
      choices: [choice("message", content, reason)],
      usage: { prompt_tokens: prompt, completion_tokens: tokens, total_tokens: prompt + tokens },
    }),
    end: "[DONE]",
  };
}
function promptOf(messages: unknown): string {
  if (!Array.isArray(messages) || messages.length === 0) throw new Refused(400, "messages is no list with a message");
  const said = messages.map((m: unknown) => {
    const { role, content } = (m ?? {}) as Fields;
    if (typeof role === "string" && typeof content === "string") return turn(role, content);
    throw new Refused(400, "a message needs a role and a content, both texts");
  });
  return `${said.join("")}assistant:`;
}

/** A running server, and what it has done. */
class Service {
  readonly server: Server;
  readonly batch: ContinuousBatch;
  readonly counts = { requests: 0, refused: 0, aborted: 0 };
  readonly #writer: Writer;
  readonly #limits: { readonly queue: number; readonly tokens: number; readonly body: number };
  readonly #running = new Set<AbortController>();
  /** Tokens given out at each of the last seconds. */
  readonly #seconds: number[] = [];
  readonly #clock: NodeJS.Timeout;
  #draining = false;

  constructor(writer: Writer, batch: ContinuousBatch, limits: { queue: number; tokens: number; body: number }) {
    this.batch = batch;
    this.#writer = writer;
    this.#limits = limits;
    this.server = createServer((request, response) => void this.#answer(request, response));
    this.#clock = setInterval(() => {
      if (this.#seconds.push(this.batch.tokens) > 11) this.#seconds.shift();
    }, 1000).unref();
  }
  /** Takes no more requests, and gives those that are written so many seconds. */
  async close(seconds: number): Promise<void> {
    this.#draining = true;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeIdleConnections();
    const timer = setTimeout(() => this.abort(), seconds * 1000);
    await closed;
    clearTimeout(timer);
    clearInterval(this.#clock);
  }
  abort(): void {
    for (const controller of this.#running) controller.abort(new Error("the server ends"));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { pathname } = new URL(request.url ?? "/", "http://localhost");
      if (request.method === "GET") this.#show(pathname, response);
      else await this.#write(request, response, this.#formOf(request.method, pathname));
    } catch (error) {
      this.#refuse(error, response);
    }
  }
  #show(pathname: string, response: ServerResponse): void {
    const { active, waiting, tokens } = this.batch;
    const [first = tokens] = this.#seconds;
    const rate = (tokens - first) / Math.max(1, this.#seconds.length);
    const pages: Record<string, () => object | string> = {
      "/health": () => ({ status: this.#draining ? "ending" : "ok", model: this.#writer.name }),
      "/v1/models": () => ({ object: "list", data: [{ id: this.#writer.name, object: "model" }] }),
      "/metrics": () =>
        Object.entries({ active, waiting, tokens, tokens_per_second: rate, ...this.counts })
          .map(([name, x]) => `nabla_${name} ${x}\n`)
          .join(""),
    };
    const page = Object.hasOwn(pages, pathname) ? pages[pathname]?.() : undefined;
    if (page === undefined) throw new Refused(404, `there is no ${pathname}`);
    const status = this.#draining && pathname === "/health" ? 503 : 200;
    if (typeof page === "string") response.writeHead(status, { "content-type": "text/plain; version=0.0.4" }).end(page);
    else send(response, status, page);
  }
  #formOf(method: string | undefined, pathname: string): Form {
    const forms: Record<string, () => Form> = {
      "/generate": () => own,
      "/v1/completions": () => openai(this.#writer.name, false),
      "/v1/chat/completions": () => openai(this.#writer.name, true),
    };
    if (!Object.hasOwn(forms, pathname)) throw new Refused(404, `there is no ${pathname}`);
    if (method !== "POST") throw new Refused(405, `${pathname} takes POST`);
    if (this.#draining) throw new Refused(503, "the server ends");
    if (this.batch.waiting >= this.#limits.queue) throw new Refused(503, "too many requests wait already");
    return (forms[pathname] as () => Form)();
  }

  async #write(request: IncomingMessage, response: ServerResponse, form: Form): Promise<void> {
    const controller = new AbortController();
    const gone = () => controller.abort(new Error("the client went away"));
    response.on("close", gone);
    this.#running.add(controller);
    try {
      const wanted = form.read(await bodyOf(request, this.#limits.body));
      const usage: Usage = { prompt: 0, tokens: 0, reason: "stop" };
      const pieces = this.#pieces(wanted, usage, controller.signal);
      this.counts.requests++;
      if (wanted.stream) await stream(response, form, pieces, usage, controller.signal);
      else {
        let whole = "";
        for await (const piece of pieces) whole += piece;
        send(response, 200, form.whole(whole, usage));
      }
    } finally {
      response.off("close", gone);
      this.#running.delete(controller);
    }
  }
  /** The text that is asked for; `usage` is told what it took. */
  #pieces({ prompt, stop, options }: Wanted, usage: Usage, signal: AbortSignal): AsyncGenerator<string> {
    const { tokenizer, ends } = this.#writer;
    const { maxTokens = Math.min(128, this.#limits.tokens) } = options;
    if (maxTokens > this.#limits.tokens)
      throw new Refused(400, `${maxTokens} tokens are asked for, the most is ${this.#limits.tokens}`);
    const ids = tokenizer.encode(prompt);
    usage.prompt = ids.length;
    const tokens = this.batch.generate(ids, { ...options, maxTokens, signal });
    return detokenize(counted(tokens, usage), tokenizer, { stop: [...stop, ...ends], behind: ids });
  }
  #refuse(error: unknown, response: ServerResponse): void {
    const { code } = error as { code?: string };
    const status = error instanceof Refused ? error.status : code === "ERR_NABLA_VALUE" ? 400 : 500;
    if (code === "ERR_NABLA_ABORTED" || response.destroyed) this.counts.aborted++;
    else this.counts.refused++;
    if (status === 500 && code !== "ERR_NABLA_ABORTED") console.error(error);
    if (response.headersSent) response.destroy();
    else send(response, code === "ERR_NABLA_ABORTED" ? 503 : status, { error: { message: (error as Error).message } });
  }
}

async function* counted(tokens: AsyncIterable<number>, usage: Usage): AsyncGenerator<number> {
  for await (const token of tokens) {
    usage.tokens++;
    yield token;
  }
  usage.reason = "length";
}
function send(response: ServerResponse, status: number, body: object): void {
  const again = status === 503 ? { "retry-after": "1" } : {};
  response.writeHead(status, { "content-type": "application/json", ...again }).end(JSON.stringify(body));
}
/** Server-sent events. The first piece is awaited before the head, so that a bad request still has its status; a reader that is slow slows its text alone. */
async function stream(
  response: ServerResponse,
  form: Form,
  pieces: AsyncGenerator<string>,
  usage: Usage,
  signal: AbortSignal,
): Promise<void> {
  const event = async (data: string) => {
    if (!response.write(`data: ${data}\n\n`)) await once(response, "drain", { signal });
  };
  let next = await pieces.next();
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  try {
    for (; !next.done; next = await pieces.next()) await event(JSON.stringify(form.piece(next.value)));
  } finally {
    await pieces.return(undefined);
  }
  await event(JSON.stringify(form.last(usage)));
  if (form.end !== undefined) await event(form.end);
  response.end();
}

await run(program, async (options) => {
  if (options.threads !== undefined) setThreads(options.threads);
  seed(options.seed);
  const { steps, data, model: folder, host, port, streams, context, grace } = options;
  const source = data === undefined ? conversation : readFileSync(data, "utf8");
  const writer = folder === undefined ? await learned(source, steps) : await loaded(folder);
  using batch = new ContinuousBatch(writer.model, { streams, contextLength: context });
  // The first step is recorded before anybody waits for it.
  for await (const _ of batch.generate([0, 0], { maxTokens: 1 }));
  const service = new Service(writer, batch, options);
  await new Promise<void>((resolve, reject) => {
    service.server.once("error", reject).listen(port, host, resolve);
  });
  const at = service.server.address() as AddressInfo;
  console.log(`listening on http://${host}:${at.port}`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => service.abort());
  await service.close(grace);
  return { ...service.counts, tokens: batch.tokens };
});
