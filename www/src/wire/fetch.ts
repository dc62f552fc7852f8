// A `fetch` that the model answers itself, as OpenAI's server would, or Anthropic's: code that was written for a hosted API
// keeps its client, which is given this in place of the platform's.

import { AbortError, PunaError, toWire } from "../errors.js";
import { Texts } from "../texts.js";
import type { Chunks } from "../types/messages.js";
import type { Backend } from "../worker/client.js";
import {
  ANTHROPIC,
  type Dialect,
  OPENAI,
  RESPONSES,
  errorReply,
  jsonReply,
  refusalReply,
  streamReply,
} from "./reply.js";
import { Responses, endedBy, tapped } from "./responses.js";

/** What of a request is looked at. */
export interface Asked {
  method: string;
  url: URL;
  /** Of the address, from its first slash on. */
  path: string;
  headers: Headers;
  text: () => Promise<string>;
  signal: AbortSignal | null;
}

/** A resource of the API: how its address ends, and what it does. */
interface Route {
  path: RegExp;
  method: "GET" | "POST" | "DELETE";
  dialect: Dialect;
  answer: (asked: Asked, server: ModelServer) => Promise<Response> | Response;
}

/** The first that fits counts. */
const ROUTES: readonly Route[] = [
  get(/\/models$/, (_, server) => jsonReply(200, server.models())),
  get(/\/models\/[^/]+$/, ({ path }, server) => server.model(idAt(path, -1))),
  post(/\/chat\/completions$/, OPENAI, (asked, server) => server.texts("chat", asked, OPENAI)),
  post(/\/completions$/, OPENAI, (asked, server) => server.texts("complete", asked, OPENAI)),
  post(/\/embeddings$/, OPENAI, (asked, server) => server.embed(asked)),
  post(/\/responses$/, RESPONSES, (asked, server) => server.respond(asked)),
  post(/\/responses\/input_tokens$/, RESPONSES, (asked, server) => server.count("respond", asked)),
  get(/\/responses\/[^/]+$/, ({ path }, server) => server.response(idAt(path, -1))),
  get(/\/responses\/[^/]+\/input_items$/, ({ path }, server) => server.input(idAt(path, -2))),
  {
    ...get(/\/responses\/[^/]+$/, ({ path }, server) => server.forget(idAt(path, -1))),
    method: "DELETE",
  },
  post(/\/messages\/count_tokens$/, ANTHROPIC, (asked, server) => server.count("message", asked)),
  post(/\/messages$/, ANTHROPIC, (asked, server) => server.texts("message", asked, ANTHROPIC)),
];

function get(path: RegExp, answer: Route["answer"]): Route {
  return { path, method: "GET", dialect: OPENAI, answer };
}

function post(path: RegExp, dialect: Dialect, answer: Route["answer"]): Route {
  return { path, method: "POST", dialect, answer };
}

/** What is served. */
export interface Served {
  id: string;
  /** Names of its adapters, by which it may be called too. */
  adapters: readonly string[];
  /** Seconds since 1970. */
  created: number;
}

/**
 * `fetch` for the model behind `client`: by the end of the address, whatever stands in front of it; no byte leaves the
 * page. Unlike the platform's it knows no redirects, caches or credentials.
 */
export function fetchOf(client: Backend, served: Served): typeof fetch {
  const server = new ModelServer(client, served);
  return async (input, init) => {
    const asked = askedOf(input, init);
    throwIfAborted(asked.signal);
    const { method, path } = asked;
    const routes = ROUTES.filter((route) => route.path.test(path));
    if (routes.length === 0) return refusalReply(404, `Invalid URL (${method} ${path})`);
    const route = routes.find((route) => route.method === method);
    if (route === undefined) {
      return refusalReply(405, `Not allowed to ${method} on ${path}.`, { code: "method_not_supported" });
    }
    try {
      return await route.answer(asked, server);
    } catch (error) {
      throwIfAborted(asked.signal);
      if (error instanceof AbortError) throw error;
      const known = error instanceof PunaError ? error : new PunaError("internal", toWire(error).message);
      return errorReply(known, route.dialect);
    }
  };
}

/** What a `fetch` was called with. */
export function askedOf(input: RequestInfo | URL, init: RequestInit | undefined): Asked {
  const isRequest = typeof input === "object" && "method" in input;
  const method = (init?.method ?? (isRequest ? input.method : "GET")).toUpperCase();
  const base = (globalThis.location as Location | undefined)?.href;
  const url = new URL(isRequest ? input.url : input, base);
  const path = url.pathname.replace(/\/+$/, "");
  const headers = new Headers(init?.headers ?? (isRequest ? input.headers : undefined));
  const body = init?.body;
  const signal = init?.signal ?? (isRequest ? input.signal : null);
  const text = (): Promise<string> =>
    // Every kind of body that there is becomes text this way.
    body === undefined || body === null
      ? textOf(isRequest ? input.clone() : null)
      : new Response(body).text();
  return { method, url, path, headers, text, signal };
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
  readonly #client: Backend;
  readonly #served: Served;
  readonly #responses = new Responses();

  constructor(client: Backend, served: Served) {
    this.#client = client;
    this.#served = served;
  }

  models(): object {
    const { id, adapters } = this.#served;
    return { object: "list", data: [id, ...adapters].map((name) => this.#entry(name)) };
  }

  model(id: string): Response {
    const { id: own, adapters } = this.#served;
    if (id === own || adapters.includes(id)) return jsonReply(200, this.#entry(id));
    const message = `The model '${id}' does not exist or you do not have access to it.`;
    return refusalReply(404, message, { param: "model", code: "model_not_found" });
  }

  /** A request that is answered with texts, whole or in chunks. */
  async texts(kind: keyof Chunks, { text, signal }: Asked, dialect: Dialect): Promise<Response> {
    const request = await text();
    const texts = new Texts(this.#client, kind);
    if (isStreamed(request)) return streamReply(await texts.stream(request, signal), signal, dialect);
    return jsonReply(200, await texts.whole(request, signal));
  }

  /** A request of OpenAI's newer wire, which may go on from earlier ones. */
  async respond({ text, signal }: Asked): Promise<Response> {
    const { json: request, keep } = this.#responses.complete(await text());
    const texts = new Texts(this.#client, "respond");
    if (!isStreamed(request)) {
      const response = await texts.whole(request, signal);
      keep(response);
      return jsonReply(200, response);
    }
    const events = tapped<object>(await texts.stream(request, signal), (event) => {
      keep(endedBy(event));
    });
    return streamReply(events, signal, RESPONSES);
  }

  response(id: string): Response {
    const response = this.#responses.get(id);
    return response === null ? unknownResponse(id) : jsonReply(200, response);
  }

  input(id: string): Response {
    const data = this.#responses.input(id);
    if (data === null) return unknownResponse(id);
    const ends = { first_id: data.at(0)?.["id"], last_id: data.at(-1)?.["id"] };
    return jsonReply(200, { object: "list", data, ...ends, has_more: false });
  }

  forget(id: string): Response {
    if (!this.#responses.remove(id)) return unknownResponse(id);
    return jsonReply(200, { id, object: "response", deleted: true });
  }

  /** How many tokens would be read for an answer. */
  async count(wire: "message" | "respond", { text, signal }: Asked): Promise<Response> {
    const given = await text();
    const request = wire === "respond" ? this.#responses.complete(given).json : given;
    const { ids } = await this.#client.answer("tokenize", { wire, request }, signal);
    const object = wire === "respond" ? { object: "response.input_tokens" } : {};
    return jsonReply(200, { ...object, input_tokens: ids.length });
  }

  async embed({ text, signal }: Asked): Promise<Response> {
    const request = await text();
    return jsonReply(200, await this.#client.answer("embed", { request }, signal));
  }

  #entry(id: string): object {
    const { id: own, created } = this.#served;
    const parent = id === own ? {} : { root: own, parent: own };
    return { id, object: "model", created, owned_by: "puna", ...parent };
  }
}

function unknownResponse(id: string): Response {
  return refusalReply(404, `Response with id '${id}' not found.`);
}

/** A part of an address, counted from its end, as it was before it became one. */
function idAt(path: string, at: number): string {
  const part = path.split("/").at(at) ?? "";
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
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
