// One request on its way to a page, and its answer on the way back.

import { Failure, pageGone } from "./failure.js";
import type { Found } from "./find.js";
import { onFree } from "../locks.js";
import type { Asked, FromOffer, ToOffer, ToPage } from "./messages.js";

/** How an answer begins. */
export interface Head {
  status: number;
  headers: Headers;
}

/**
 * A request that an offer answers. Whatever becomes of the page, there is an end: where it goes, what is read fails with a
 * `Failure`.
 */
export class Exchange {
  /** Settles when the answer begins; without the page's model, or without the page, it rejects. */
  readonly head: Promise<Head>;
  /** Settles when nothing more of it comes. */
  readonly over: Promise<void>;
  readonly #port: MessagePort;
  readonly #said: FromOffer[] = [];
  readonly #release: () => void;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #failure: Failure | null = null;
  #wake: () => void = () => undefined;
  #finish: () => void = () => undefined;

  /** `worker` is the lock of this worker's life. */
  constructor({ page, offer }: Pick<Found, "page" | "offer">, worker: string, request: Asked) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }) => {
      this.#said.push(data as FromOffer);
      this.#wake();
    };
    this.over = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#release = onFree(offer, () => {
      this.#fail(pageGone());
    });
    page.postMessage({ puna: "ask", offer, worker, request } satisfies ToPage, [port2]);
    this.head = this.#ended(this.#begin());
    this.head.catch(() => undefined);
  }

  /** The next bytes of the body; `null` behind the last. */
  async read(): Promise<Uint8Array | null> {
    await this.head;
    return this.#ended(this.#reader === null ? this.#pull() : this.#take(this.#reader));
  }

  /** All that is left of the body. */
  async readAll(): Promise<Blob> {
    const parts: BlobPart[] = [];
    for (let bytes = await this.read(); bytes !== null; bytes = await this.read()) {
      parts.push(bytes as BlobPart);
    }
    return new Blob(parts);
  }

  /** Nobody wants it any more: the page stops its work. */
  cancel(): void {
    this.#fail(new Failure(499, "aborted", "whoever asked has gone"));
    this.#end("cancel");
  }

  async #begin(): Promise<Head> {
    const first = await this.#next();
    if (first.kind === "failed") throw new Failure(500, first.code, first.message);
    if (first.kind !== "head") throw new Failure(500, "internal", `a page's answer began with ${first.kind}`);
    this.#reader = first.body?.getReader() ?? null;
    return { status: first.status, headers: new Headers(first.headers) };
  }

  /** From a stream that the page has handed over. */
  async #take(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | null> {
    const { done, value } = await reader.read();
    // Given up, a stream ends as if it had come to its end.
    if (this.#failure !== null) throw this.#failure;
    return done ? null : value;
  }

  /** From where streams can't be handed over. */
  async #pull(): Promise<Uint8Array | null> {
    this.#say({ kind: "pull" });
    const reply = await this.#next();
    if (reply.kind === "chunk") return reply.bytes;
    if (reply.kind === "end") return null;
    if (reply.kind === "failed") throw new Failure(500, reply.code, reply.message);
    throw new Failure(500, "internal", "a page began its answer twice");
  }

  async #next(): Promise<FromOffer> {
    for (;;) {
      const message = this.#said.shift();
      if (message !== undefined) return message;
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The same result; an end or a failure is also the end of all else. */
  async #ended<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      if (result === null) this.#end("over");
      return result;
    } catch (error) {
      this.#end("cancel");
      throw error;
    }
  }

  #fail(failure: Failure): void {
    this.#failure ??= failure;
    this.#wake();
    // The other end of the stream may not be there to answer a read.
    this.#reader?.cancel().catch(() => undefined);
  }

  #say(message: ToOffer): void {
    this.#port.postMessage(message);
  }

  #end(kind: "over" | "cancel"): void {
    this.#say({ kind });
    this.#release();
    this.#port.close();
    this.#finish();
  }
}
