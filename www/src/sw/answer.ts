// A page's offer to answer the requests that its origin's service worker gets.

import type { Model } from "../index.js";
import { containerOf } from "./container.js";
import { hold } from "../locks.js";
import type { Offer, ToPage } from "./messages.js";
import { respond } from "./respond.js";

/** What can answer: a model, or anything else with a `fetch` like a model's and a name for it. */
export type Answerer = Pick<Model, "id" | "fetch"> & {
  /** Settles when it can't be asked any more: then it is no longer offered. */
  readonly ended?: Promise<unknown>;
};

/** Options of `answer`. */
export interface AnswerOptions {
  /** Ends the offer, as `stop` does. */
  signal?: AbortSignal | null;
}

/** An offer that stands. */
export interface Answering {
  /** Takes no more requests; answers that have begun go on to their end. */
  readonly stop: () => void;
}

/**
 * Offers a model to the service worker of the origin, in which `serve` of `puna/sw` runs: it answers requests of this page
 * and of all others of the origin, until it is unloaded, the page closes or `stop` is called. A model that is still being
 * loaded is offered at once, and requests wait for it. Resolves when requests find it. May be called for several models.
 *
 * @example
 * import { answer } from "puna/sw-page";
 *
 * await answer(load("https://example.org/model.gguf"));
 */
export async function answer(
  model: Answerer | Promise<Answerer>,
  { signal = null }: AnswerOptions = {},
): Promise<Answering> {
  const container = containerOf();
  const offering = new Offering(model);
  const listen = (event: MessageEvent): void => {
    offering.hear(event);
  };
  container.addEventListener("message", listen);
  container.startMessages();
  void offering.over.then(() => {
    container.removeEventListener("message", listen);
  });
  const stop = (): void => {
    offering.leave();
  };
  if (signal?.aborted === true) stop();
  else signal?.addEventListener("abort", stop, { once: true });
  await hold(offering.name, offering.over);
  return { stop };
}

class Offering {
  /** Also its lock's. */
  readonly name = `puna offer ${crypto.randomUUID()}`;
  /** Settles when it takes no more requests and has answered all that it took. */
  readonly over: Promise<void>;
  readonly #fetch: Promise<typeof fetch>;
  readonly #since = Date.now();
  #finish: () => void = () => undefined;
  #state: Offer["state"] = "loading";
  #model: string | null = null;
  #answers = 0;

  constructor(model: Answerer | Promise<Answerer>) {
    this.over = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#fetch = Promise.resolve(model).then(({ fetch }) => fetch);
    this.#fetch.catch(() => undefined);
    Promise.resolve(model)
      .then(async ({ id, ended }) => {
        this.#model = id;
        if (this.#state === "loading") this.#state = "ready";
        // Without such a promise, it never ends.
        await (ended ?? new Promise(() => undefined));
      })
      // Requests that wait for it are told; who loads it knows.
      .catch(() => undefined)
      .finally(() => {
        this.leave();
      });
  }

  leave(): void {
    this.#state = "leaving";
    if (this.#answers === 0) this.#finish();
  }

  /** A message of the service worker. */
  hear({ data, ports: [port], source }: MessageEvent): void {
    if (port === undefined || !isToPage(data)) return;
    if (data.puna === "find") {
      const offer: Offer = { offer: this.name, state: this.#state, model: this.#model, since: this.#since };
      port.postMessage(offer);
    } else if (data.offer === this.name) {
      void this.#answer(data, port, source);
    }
  }

  async #answer(
    { request, worker: lock }: Extract<ToPage, { puna: "ask" }>,
    port: MessagePort,
    source: MessageEventSource | null,
  ): Promise<void> {
    this.#answers++;
    try {
      await respond(this.#fetch, { request, port, lock, worker: source });
    } finally {
      this.#answers--;
      if (this.#state === "leaving") this.leave();
    }
  }
}

function isToPage(data: unknown): data is ToPage {
  if (typeof data !== "object" || data === null || !("puna" in data)) return false;
  if (data.puna === "find") return true;
  return data.puna === "ask" && "offer" in data && "request" in data && "worker" in data;
}
