// A streamed answer, wherever it is made.

import { InvalidRequestError } from "../index.js";
import type { Ran } from "./policy.js";

/**
 * The chunks of an answer, as they are made; each says in `puna` where. Can be iterated once.
 *
 * Leaving the loop early stops the work, and so does `controller.abort()`, upon which the loop ends without an error. Where the
 * caller's own `AbortSignal` stopped it, the loop throws an `AbortError`; where the answer breaks off, the error that tells.
 *
 * @example
 * for await (const chunk of stream) show(chunk.choices[0]?.delta.content ?? "");
 */
export class AnswerStream<Chunk> implements AsyncIterable<Chunk> {
  /** Stops the work. */
  readonly controller: AbortController;
  /** Where the answer is made, and why there. */
  readonly puna: Ran;
  readonly #chunks: AsyncIterable<object>;
  #isTaken = false;

  /** @internal */
  constructor(chunks: AsyncIterable<object>, controller: AbortController, ran: Ran) {
    this.#chunks = chunks;
    this.controller = controller;
    this.puna = ran;
  }

  [Symbol.asyncIterator](): AsyncIterator<Chunk, undefined> {
    if (this.#isTaken) {
      throw new InvalidRequestError("a stream can be iterated once; keep the chunks to read them again");
    }
    this.#isTaken = true;
    const chunks = this.#chunks[Symbol.asyncIterator]();
    const puna = this.puna;
    return {
      next: async () => {
        const next = await chunks.next();
        if (next.done === true) return { done: true, value: undefined };
        return { done: false, value: { ...next.value, puna } as Chunk };
      },
      // A loop that is left by `break`, `return` or `throw` comes here.
      return: async () => {
        this.controller.abort();
        await chunks.return?.();
        return { done: true, value: undefined };
      },
    };
  }
}
