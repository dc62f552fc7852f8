// What the client's tests share: a server that is a function, and clients of it.

import { vi } from "vitest";

import { Client } from "../../src/client/client.js";
import type { ClientOptions, RemoteOptions } from "../../src/client/options.js";
import { loadIn } from "../../src/engine.js";
import { address } from "../support.js";
import { FakeWorker } from "../fake/worker.js";

export const BASE = "https://far.example.org/v1";

/** A request that came to the server. */
export interface Got {
  url: string;
  method: string;
  headers: Headers;
  body: Record<string, unknown>;
  signal: AbortSignal | null;
}

/** A server: `answer` is asked each time; what came is in `got`. */
export function serverOf(answer: (got: Got) => Response | Promise<Response>): {
  fetch: typeof fetch;
  got: Got[];
} {
  const got: Got[] = [];
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    const { method = "GET", headers, body, signal = null } = init;
    const text = typeof body === "string" ? body : "{}";
    const request = {
      url: input instanceof URL ? input.href : (input as string),
      method,
      headers: new Headers(headers),
      body: JSON.parse(text) as Record<string, unknown>,
      signal,
    };
    got.push(request);
    return answer(request);
  };
  return { fetch, got };
}

export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });

/** A body of these pieces, which then ends, breaks off, or waits until it is left. */
export function piecesOf(
  pieces: string[],
  end: "end" | "break" | "wait" = "end",
  onLeft: () => void = () => undefined,
): ReadableStream<Uint8Array> {
  const left = pieces.map((piece) => new TextEncoder().encode(piece));
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = left.shift();
      if (piece !== undefined) controller.enqueue(piece);
      else if (end === "end") controller.close();
      else if (end === "break") controller.error(new TypeError("network error"));
      else await new Promise(() => undefined);
    },
    cancel: onLeft,
  });
}

export const events = (body: ReadableStream<Uint8Array>): Response =>
  new Response(body, { headers: { "content-type": "text/event-stream" } });

/** An event with a chunk. */
export const chunk = (content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: "c", choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

/** A server's answer to anything: its text, whole or in two pieces. */
export const far = ({ body, url }: Got): Response => {
  if (/\/models\b/.test(url)) return json(200, { object: "list", data: [{ id: "far-1" }] });
  if (/\/embeddings\b/.test(url)) return json(200, { object: "list", data: [{ index: 0, embedding: [1] }] });
  if (body["stream"] === true) {
    return events(piecesOf([chunk("far "), chunk("away"), chunk("", "stop"), "data: [DONE]\n\n"]));
  }
  const said = { message: { role: "assistant", content: "far away" }, text: "far away" };
  return json(200, { id: "c", choices: [{ index: 0, ...said, finish_reason: "stop" }] });
};

/** A client of a fake model, which loads as its `query` says, and of that server; with what was loaded. */
export function clientOf(
  query: string | null,
  server: { fetch: typeof fetch } | null,
  { remote, ...options }: Omit<ClientOptions, "remote"> & { remote?: Partial<RemoteOptions> } = {},
): { client: Client; workers: FakeWorker[]; loader: ReturnType<typeof vi.fn> } {
  const workers: FakeWorker[] = [];
  const start = (): FakeWorker => {
    const worker = new FakeWorker();
    workers.push(worker);
    return worker;
  };
  const loader = vi.fn((source: unknown, load: object) => loadIn(start, source as string, load));
  const local = query === null ? null : { source: address(query) };
  const far = server === null ? null : { baseURL: BASE, model: "far-1", fetch: server.fetch, ...remote };
  const client = new Client({ local, remote: far, ...options }, loader as never);
  return { client, workers, loader };
}
