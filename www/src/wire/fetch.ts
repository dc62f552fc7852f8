// A `fetch` that the model answers itself, as OpenAI's server would: code that was written for a hosted API keeps its
// client, which is given this in place of the platform's.

import { AbortError, PunaError, toWire } from "../errors.js";
import { Texts } from "../texts.js";
import type { Chunks } from "../types/messages.js";
import type { WorkerClient } from "../worker/client.js";
import { errorReply, jsonReply, refusalReply, streamReply } from "./reply.js";

/** What of a request is looked at. */
interface Asked {
  method: string;
  /** Of the address, from its first slash on. */
  path: string;
  text: () => Promise<string>;
  signal: AbortSignal | null;
}

/** A resource of the API: how its address ends, and what it does. */
interface Route {
  path: RegExp;
  method: "GET" | "POST";
  answer: (asked: Asked, server: ModelServer) => Promise<Response> | Response;
}

/** The first that fits counts. */
const ROUTES: readonly Route[] = [
  { path: /\/models$/, method: "GET", answer: (_, server) => jsonReply(200, server.models()) },
  { path: /\/models\/[^/]+$/, method: "GET", answer: ({ path }, server) => server.model(path) },
  { path: /\/chat\/completions$/, method: "POST", answer: (asked, server) => server.texts("chat", asked) },
  { path: /\/completions$/, method: "POST", answer: (asked, server) => server.texts("complete", asked) },
  { path: /\/embeddings$/, method: "POST", answer: (asked, server) => server.embed(asked) },
];

/** What is served. */
export interface Served {
  id: string;
  /** Seconds since 1970. */
  created: number;
}

/**
 * `fetch` for the model behind `client`: by the end of the address, whatever stands in front of it; no byte leaves the
 * page. Unlike the platform's it knows no redirects, caches or credentials.
 */
export function fetchOf(client: WorkerClient, served: Served): typeof fetch {
  const server = new ModelServer(client, served);
  return async (input, init) => {
    const asked = askedOf(input, init);
    throwIfAborted(asked.signal);
    try {
      return await answer(asked, server);
    } catch (error) {
      throwIfAborted(asked.signal);
      if (error instanceof AbortError) throw error;
      return errorReply(
        error instanceof PunaError ? error : new PunaError("internal", toWire(error).message),
      );
    }
  };
}

async function answer(asked: Asked, server: ModelServer): Promise<Response> {
  const { method, path } = asked;
  const route = ROUTES.find((route) => route.path.test(path));
  if (route === undefined) return refusalReply(404, `Invalid URL (${method} ${path})`);
  if (route.method === method) return route.answer(asked, server);
  return refusalReply(405, `Not allowed to ${method} on ${path}.`, { code: "method_not_supported" });
}

function askedOf(input: RequestInfo | URL, init: RequestInit | undefined): Asked {
  const isRequest = typeof input === "object" && "method" in input;
  const method = (init?.method ?? (isRequest ? input.method : "GET")).toUpperCase();
  const base = (globalThis.location as Location | undefined)?.href;
  const url = new URL(isRequest ? input.url : input, base);
  const path = url.pathname.replace(/\/+$/, "");
  const body = init?.body;
  const signal = init?.signal ?? (isRequest ? input.signal : null);
  const text = (): Promise<string> =>
    // Every kind of body that there is becomes text this way.
    body === undefined || body === null
      ? textOf(isRequest ? input.clone() : null)
      : new Response(body).text();
  return { method, path, text, signal };
}

async function textOf(request: Request | null): Promise<string> {
  return request === null ? "" : request.text();
}

function throwIfAborted(signal: AbortSignal | null): void {
  // As the platform's: with the reason, whatever it is.
  if (signal?.aborted === true) throw signal.reason;
}

/** Answers for one model. */
class ModelServer {
  readonly #client: WorkerClient;
  readonly #served: Served;

  constructor(client: WorkerClient, served: Served) {
    this.#client = client;
    this.#served = served;
  }

  models(): object {
    return { object: "list", data: [this.#entry()] };
  }

  model(path: string): Response {
    const id = path.split("/").at(-1) ?? "";
    if (id === encodeURIComponent(this.#served.id)) return jsonReply(200, this.#entry());
    const message = `The model '${id}' does not exist or you do not have access to it.`;
    return refusalReply(404, message, { param: "model", code: "model_not_found" });
  }

  /** A request that is answered with texts, whole or in chunks. */
  async texts(kind: keyof Chunks, { text, signal }: Asked): Promise<Response> {
    const request = await text();
    const texts = new Texts(this.#client, kind);
    if (isStreamed(request)) return streamReply(await texts.stream(request, signal), signal);
    return jsonReply(200, await texts.whole(request, signal));
  }

  async embed({ text, signal }: Asked): Promise<Response> {
    const request = await text();
    return jsonReply(200, await this.#client.answer("embed", { request }, signal));
  }

  #entry(): object {
    const { id, created } = this.#served;
    return { id, object: "model", created, owned_by: "puna" };
  }
}

/** What is wrong with a request its reader says. */
function isStreamed(request: string): boolean {
  try {
    const body = JSON.parse(request) as { stream?: unknown } | null;
    return body?.stream === true;
  } catch {
    return false;
  }
}
