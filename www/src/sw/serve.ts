// Requests of the page's own origin, answered by the models of its open pages.

import { jsonReply, refusalReply } from "../wire/reply.js";
import { ask } from "./ask.js";
import { failureOf, failureReply, noModel } from "./failure.js";
import { type Found, findOffers } from "./find.js";
import { hold } from "./locks.js";
import type { Asked } from "./messages.js";
import type { FetchEvent, MessageFromPage, WorkerScope } from "./scope.js";

/** Options of `serve`. */
export interface ServeOptions {
  /**
   * The folder of addresses that are answered, from the service worker's scope on; `/puna` is one of the origin's root.
   * `puna` where absent: `…/puna/v1/chat/completions` and so on.
   */
  path?: string;
  /** Whether pages that were open before the worker was there are taken charge of, as where absent. */
  claim?: boolean;
}

/** Headers that say something about a request; keys stay behind. */
const HEADERS = ["accept", "content-type", "anthropic-version", "anthropic-beta", "openai-beta"];

/** How often it is asked whether a page that waits for an answer is still there. */
const LOOK_MS = 1000;

/**
 * Answers the requests below a path by the models that open pages offer (`answer` of `puna/sw-page`): for code that can't
 * be given a `fetch`. To be called once, when the service worker's script runs first, and before its own listeners
 * for `fetch` are added: those don't see these requests then.
 *
 * @example
 * importScripts("/puna/sw.classic.js");
 * puna.serve({ path: "/puna" });
 */
export function serve({ path = "puna", claim = true }: ServeOptions = {}): void {
  const scope = globalThis as unknown as WorkerScope;
  const folder = new URL(`${path.replace(/\/+$/, "")}/`, scope.registration.scope);
  if (folder.origin !== new URL(scope.registration.scope).origin) {
    throw new TypeError(`path: expected one of this origin, got ${folder.href}`);
  }
  const server = new Server(scope);
  scope.addEventListener("fetch", (event) => {
    const url = new URL(event.request.url);
    if (url.origin !== folder.origin || !url.pathname.startsWith(folder.pathname)) return;
    event.stopImmediatePropagation();
    event.respondWith(server.answer(event));
  });
  scope.addEventListener("message", (event) => {
    hear(event, scope);
  });
  if (claim) {
    scope.addEventListener("activate", (event) => {
      event.waitUntil(scope.clients.claim());
    });
  }
}

/** What pages say besides requests. Others' messages go past. */
function hear(event: MessageFromPage, scope: WorkerScope): void {
  const { puna } = (event.data ?? {}) as { puna?: unknown };
  const [port] = event.ports;
  // That it came is all there is to `awake`.
  if (puna !== "ready" || port === undefined) return;
  // A page that was reloaded past its service worker is taken charge of again.
  event.waitUntil(
    scope.clients.claim().then(() => {
      port.postMessage({ puna: "ready" });
    }),
  );
}

class Server {
  readonly #scope: WorkerScope;
  /** Held as long as this worker lives, for the pages that work for it. */
  readonly #lock = `puna worker ${crypto.randomUUID()}`;
  #held: Promise<void> | null = null;

  constructor(scope: WorkerScope) {
    this.#scope = scope;
  }

  async answer(event: FetchEvent): Promise<Response> {
    const { request, clientId } = event;
    const path = new URL(request.url).pathname;
    let finished: () => void = () => undefined;
    // While a stream runs, too. Added at once: later the event would be over.
    event.waitUntil(
      new Promise<void>((resolve) => {
        finished = resolve;
      }),
    );
    try {
      const asked = await askedOf(request);
      const offers = await findOffers(this.#scope.clients, { model: modelOf(asked.body), clientId });
      const list = request.method === "GET" ? listReply(offers, path) : null;
      const [offer] = offers;
      if (list !== null || offer === undefined) {
        finished();
        return list ?? failureReply(noModel(), path);
      }
      this.#held ??= hold(this.#lock, new Promise(() => undefined));
      await this.#held;
      const onLeft = (left: () => void): (() => void) => this.#onLeft(clientId, left);
      const { answer, done } = ask(offer, asked, { worker: this.#lock, path, onLeft });
      void done.then(finished);
      return await answer;
    } catch (error) {
      finished();
      return failureReply(failureOf(error), path);
    }
  }

  /**
   * Calls `left` when the page that asked is gone. That it has lost interest no browser tells before an answer has begun:
   * the signal of the event's request is never aborted.
   */
  #onLeft(clientId: string, left: () => void): () => void {
    if (clientId === "") return () => undefined;
    const timer = setInterval(() => {
      void this.#scope.clients.get(clientId).then((client) => {
        if (client === undefined || client === null) left();
      });
    }, LOOK_MS);
    return () => {
      clearInterval(timer);
    };
  }
}

async function askedOf(request: Request): Promise<Asked> {
  const { method, url, headers } = request;
  const hasBody = method !== "GET" && method !== "HEAD";
  return {
    method,
    url,
    headers: [...headers].filter(([name]) => HEADERS.includes(name)),
    body: hasBody ? await request.arrayBuffer() : null,
  };
}

/** The model that a request names; what is wrong with it its reader says. */
function modelOf(body: ArrayBuffer | null): string | null {
  if (body === null) return null;
  try {
    const { model } = JSON.parse(new TextDecoder().decode(body)) as { model?: unknown };
    return typeof model === "string" ? model : null;
  } catch {
    return null;
  }
}

/** All models of all pages, or one of them; `null` where something else was asked for. */
function listReply(offers: readonly Found[], path: string): Response | null {
  const models = new Map<string, object>();
  // Of several of one name, the first that there was.
  for (const { model, since } of [...offers].sort((a, b) => a.since - b.since)) {
    if (model === null || models.has(model)) continue;
    models.set(model, { id: model, object: "model", created: Math.floor(since / 1000), owned_by: "puna" });
  }
  if (/\/models\/?$/.test(path)) return jsonReply(200, { object: "list", data: [...models.values()] });
  const id = /\/models\/([^/]+)\/?$/.exec(path)?.[1];
  if (id === undefined) return null;
  const model = models.get(decoded(id));
  if (model !== undefined) return jsonReply(200, model);
  const message = `The model '${decoded(id)}' does not exist: no open page has it.`;
  return refusalReply(404, message, { param: "model", code: "model_not_found" });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
