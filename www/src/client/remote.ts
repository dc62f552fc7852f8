// Requests to the server: the only place from which anything leaves the page.

import { PunaError, abortErrorOf, onAbort } from "../index.js";
import { remoteBody } from "./body.js";
import { chunksOf } from "./chunks.js";
import type { RemoteOptions } from "./options.js";
import { bodyOf, hasArray, refusalOf } from "./received.js";
import { type Sent, remoteFailure } from "./remote_error.js";

/** Headers of a caller's request that say something about it; its keys stay behind. */
const HEADERS = ["accept", "content-type", "anthropic-version", "anthropic-beta", "openai-beta"];

/** A request to be sent. */
export interface RemoteRequest {
  method: string;
  /** Below the API's root. */
  path: string;
  /** With its question mark, or empty. */
  query?: string;
  headers?: Headers;
  /** `undefined` where there is none; a text is sent as it is. */
  body: unknown;
  signal: AbortSignal | null;
}

/** An answer as it comes. */
export interface RemoteStream {
  /** The first chunk was waited for. */
  chunks: AsyncGenerator<object, void>;
  controller: AbortController;
}

/** The server of one client. */
export class Remote {
  readonly #options: RemoteOptions & { baseURL: URL };

  constructor(options: RemoteOptions & { baseURL: URL }) {
    this.#options = options;
  }

  /** Where a request goes. */
  urlOf({ path, query = "" }: Pick<RemoteRequest, "path" | "query">): URL {
    const url = new URL(this.#options.baseURL);
    url.hash = "";
    url.pathname = url.pathname.replace(/\/+$/, "") + path;
    for (const [name, value] of new URLSearchParams(query)) url.searchParams.append(name, value);
    return url;
  }

  /** What is told of a request. */
  sentOf(request: Pick<RemoteRequest, "method" | "path">, because: PunaError | null): Sent {
    const { origin, pathname } = this.urlOf(request);
    return { method: request.method, url: origin + pathname, because };
  }

  /** The server's answer, whatever it is; rejects as the platform's `fetch` does. Once: nothing is tried again. */
  async send(request: RemoteRequest): Promise<Response> {
    const { method, path, headers: given, body, signal } = request;
    const { headers: own = {}, fetch = globalThis.fetch } = this.#options;
    const headers = new Headers([...(given ?? [])].filter(([name]) => HEADERS.includes(name)));
    const key = await this.#key(request);
    if (key !== null) headers.set("authorization", `Bearer ${key}`);
    for (const [name, value] of Object.entries(own)) headers.set(name, value);
    const sent = remoteBody(body, path, this.#options);
    // It may have been aborted while the key was fetched.
    signal?.throwIfAborted();
    return fetch(this.urlOf(request), {
      method,
      headers,
      signal,
      // A conversation goes where the page's author said, and not where that server points.
      redirect: "error",
      ...(sent === undefined ? {} : { body: typeof sent === "string" ? sent : JSON.stringify(sent) }),
    });
  }

  async #key(request: RemoteRequest): Promise<string | null> {
    const { apiKey = null } = this.#options;
    if (typeof apiKey !== "function") return apiKey;
    const sent = this.sentOf(request, null);
    let key: unknown;
    try {
      key = await apiKey();
    } catch (cause) {
      throw remoteFailure(sent, `nothing was sent, for remote.apiKey failed: ${String(cause)}`, { cause });
    }
    if (typeof key === "string") return key;
    throw remoteFailure(sent, `nothing was sent: expected a string of remote.apiKey, got ${typeof key}`);
  }

  /** The answer in JSON, of which `list` is to be an array. */
  async whole(request: RemoteRequest, list: string, because: PunaError | null): Promise<object> {
    const sent = this.sentOf(request, because);
    return this.#told(sent, request.signal, async () => {
      const response = await this.#answer(request, sent, "application/json");
      const body = await bodyOf(response);
      if (!hasArray(body, list)) {
        throw remoteFailure(sent, `expected JSON with an array ${JSON.stringify(list)}, got something else`);
      }
      return body;
    });
  }

  /** The answer as it is made; resolves with its first chunk. */
  async stream(request: RemoteRequest, because: PunaError | null): Promise<RemoteStream> {
    const { signal } = request;
    const sent = this.sentOf(request, because);
    const controller = new AbortController();
    const release = onAbort(signal, () => {
      controller.abort(signal?.reason);
    });
    onAbort(controller.signal, release);
    const read = async function* (this: Remote): AsyncGenerator<object, void> {
      try {
        const response = await this.#answer(
          { ...request, signal: controller.signal },
          sent,
          "text/event-stream",
        );
        yield* chunksOf(response, sent);
      } finally {
        release();
      }
    };
    const chunks = read.call(this);
    const first = await this.#told(sent, signal, () => chunks.next());
    return { chunks: this.#rest(first, chunks, { sent, signal, controller }), controller };
  }

  /** The first chunk and the others; whoever leaves stops the work. */
  async *#rest(
    first: IteratorResult<object, void>,
    others: AsyncGenerator<object, void>,
    { sent, signal, controller }: { sent: Sent; signal: AbortSignal | null; controller: AbortController },
  ): AsyncGenerator<object, void> {
    try {
      for (let next = first; next.done !== true; next = await this.#told(sent, signal, () => others.next())) {
        // The caller may be told to stop while chunks wait here: nobody wants them any more.
        if (signal?.aborted === true) throw abortErrorOf(signal);
        if (controller.signal.aborted) return;
        yield next.value;
      }
    } catch (error) {
      if (signal?.aborted === true) throw abortErrorOf(signal);
      if (!controller.signal.aborted) throw error;
    } finally {
      await others.return();
    }
  }

  /** An answer that is one, in the form that was asked for. */
  async #answer(request: RemoteRequest, sent: Sent, type: string): Promise<Response> {
    const headers = new Headers({ accept: type, "content-type": "application/json" });
    if (request.body === undefined) headers.delete("content-type");
    const response = await this.send({ ...request, headers });
    if (!response.ok) throw await refusalOf(response, sent);
    const got = response.headers.get("content-type");
    if (got === null || got.split(";", 1)[0]?.trim().toLowerCase() === type) return response;
    await response.body?.cancel();
    throw remoteFailure(sent, `expected ${type}, got ${got}; look at remote.baseURL`, {
      status: response.status,
    });
  }

  /** What work comes to, with errors that are the package's. */
  async #told<T>(sent: Sent, signal: AbortSignal | null, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted === true) throw abortErrorOf(signal);
      if (error instanceof PunaError) throw error;
      throw unreachable(sent, error);
    }
  }
}

/** What a `fetch` was rejected with, as an error of the package. */
export function unreachable(sent: Sent, cause: unknown): PunaError {
  if (cause instanceof RangeError) return remoteFailure(sent, cause.message, { cause });
  const said = cause instanceof Error ? cause.message : String(cause);
  const message =
    `no answer, or not all of it (${said}): the server can't be reached or has gone, does not allow this page by CORS, or ` +
    "redirects, which is not followed; look at remote.baseURL";
  return remoteFailure(sent, message, { cause });
}
