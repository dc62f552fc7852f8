// What the service worker and the pages with models say to each other. Each asks the other through a port of its own, so
// that nothing has to be told apart; what a page's own scripts post goes past it.

/** A model that a page offers. */
export interface Offer {
  /** Its own name, and that of the lock which it holds as long as it can be asked. */
  offer: string;
  /** `loading`: requests wait for it. `leaving`: it takes no more of them. */
  state: "ready" | "loading" | "leaving";
  /** The model's name; `null` while it is not known. */
  model: string | null;
  /** When it was offered, in milliseconds since 1970. */
  since: number;
}

/** A request, as far as it concerns a model. */
export interface Asked {
  method: string;
  url: string;
  headers: [string, string][];
  body: ArrayBuffer | null;
}

/** What the worker sends to pages, each with a port. */
export type ToPage =
  /** Every page is asked what it offers, and answers with an `Offer` for each. */
  | { puna: "find" }
  /** One offer is asked, and answers as `FromOffer` says. */
  | {
      puna: "ask";
      offer: string;
      /** The lock that the worker holds as long as it lives. */
      worker: string;
      request: Asked;
    };

/** What an offer says of an answer, through the request's port. */
export type FromOffer =
  /** It begins. Where `body` is missing its chunks come one by one, as they are asked for. */
  | { kind: "head"; status: number; headers: [string, string][]; body?: ReadableStream<Uint8Array> }
  | { kind: "chunk"; bytes: Uint8Array }
  | { kind: "end" }
  | { kind: "failed"; code: string; message: string };

/** What the worker says through the request's port; exactly one of the last two, as its last word. */
export type ToOffer =
  /** The next chunk, please. */
  | { kind: "pull" }
  /** All was heard. */
  | { kind: "over" }
  /** Nobody wants it any more. */
  | { kind: "cancel" };

/** What pages send to the worker. */
export type ToWorker =
  /** Is it `serve` that runs there? With a port, by which it says so; it takes charge of the page. */
  | { puna: "ready" }
  /** An answer is being made: browsers end workers that hear nothing for a while. */
  | { puna: "awake" };
