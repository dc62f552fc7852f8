// From a request to the page that answers it.

import { errorReply } from "../wire/reply.js";
import { Exchange } from "./exchange.js";
import { dialectOf, failureOf, isOfResponses, noModel } from "./failure.js";
import { findOffers } from "./find.js";
import { listReply } from "./list.js";
import { hold } from "../locks.js";
import type { Asked } from "./messages.js";
import { responseOf } from "./response.js";
import type { FetchEvent, Lifetime, WorkerScope } from "./scope.js";

/** Headers that say something about a request; keys stay behind. */
const HEADERS = ["accept", "content-type", "anthropic-version", "anthropic-beta", "openai-beta"];

/** How long an answer may take to begin by itself (`Manner.late`): what is wrong with a request is known long before. */
const LATE_MS = 5000;

/**
 * How long one event keeps the worker awake. Pages that answer send another each ten seconds, or each minute if they are not
 * seen; Chromium breaks off what an event waits for after five.
 */
const AWAKE_MS = 90_000;

/** Answers requests by what pages offer. */
export class Server {
  readonly #clients: WorkerScope["clients"];
  /** Held as long as this worker lives, for the pages that work for it. */
  readonly #lock = `puna worker ${crypto.randomUUID()}`;
  #held: Promise<void> | null = null;
  readonly #running = new Set<Exchange>();

  constructor(clients: WorkerScope["clients"]) {
    this.#clients = clients;
  }

  /** The answer to a request; whatever is wrong with it or with us, in the API's words. */
  async answer(event: FetchEvent): Promise<Response> {
    const { request, clientId } = event;
    const path = new URL(request.url).pathname;
    try {
      return await this.#answer(request, path, clientId);
    } catch (error) {
      return errorReply(failureOf(error), dialectOf(path));
    } finally {
      this.stayAwake(event);
    }
  }

  /** Browsers end a worker that has nothing to do. A stream goes on after its request was answered. */
  stayAwake(event: Lifetime): void {
    if (this.#running.size === 0) return;
    const over = Promise.all([...this.#running].map((exchange) => exchange.over));
    event.waitUntil(Promise.race([over, after(AWAKE_MS)]));
  }

  async #answer(request: Request, path: string, clientId: string): Promise<Response> {
    const late = after(LATE_MS);
    const asked = await askedOf(request);
    const { model, isStream } = about(asked.body);
    const offers = await findOffers(this.#clients, { model, clientId });
    const list = asked.method === "GET" ? listReply(offers, path) : null;
    if (list !== null) return list;
    if (offers.length === 0) throw noModel();
    this.#held ??= hold(this.#lock, new Promise(() => undefined));
    await this.#held;
    let answer: Response | null = null;
    for (const offer of offers) {
      const exchange = new Exchange(offer, this.#lock, asked);
      this.#running.add(exchange);
      void exchange.over.then(() => this.#running.delete(exchange));
      const next = await responseOf(exchange, { dialect: dialectOf(path), isStream, late });
      // Earlier responses are kept by the page that made them, whichever it was: the first one's word counts unless another has it.
      if (!isOfResponses(path) || !(await isElsewhere(next))) return next;
      answer ??= next;
    }
    return answer ?? errorReply(noModel(), dialectOf(path));
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether an answer says that what the request refers to is not there. */
async function isElsewhere(answer: Response): Promise<boolean> {
  if (answer.status === 404) return true;
  if (answer.status !== 400) return false;
  const { error } = (await answer.clone().json()) as { error?: { code?: unknown } };
  return error?.code === "previous_response_not_found";
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

/** What of a request's body says how it is dealt with; what is wrong with it its reader says. */
function about(body: ArrayBuffer | null): { model: string | null; isStream: boolean } {
  try {
    const { model, stream } = JSON.parse(new TextDecoder().decode(body ?? undefined)) as Record<
      string,
      unknown
    >;
    return { model: typeof model === "string" ? model : null, isStream: stream === true };
  } catch {
    return { model: null, isStream: false };
  }
}
