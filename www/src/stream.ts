// A streamed answer, in the shape of the `openai` package's `Stream`.

import { InvalidRequestError, abortErrorOf } from "./errors.js";
import type { ChunkQueue } from "./queue.js";
import type { ChatCompletionChunk } from "./types/openai.js";

/**
 * The chunks of an answer, as they are made. Can be iterated once.
 *
 * Leaving the loop early stops the work, and so does `controller.abort()`, upon which the loop ends without
 * an error. Where the caller's own `AbortSignal` stopped it, the loop throws an `AbortError`.
 *
 * @example
 * for await (const chunk of stream) show(chunk.choices[0]?.delta.content ?? "");
 */
export class ChatStream<Chunk = ChatCompletionChunk> implements AsyncIterable<Chunk> {
  /** Stops the work. */
  readonly controller: AbortController;
  readonly #queue: ChunkQueue<Chunk>;
  readonly #signal: AbortSignal | null;
  #isTaken = false;

  /** @internal */
  constructor(queue: ChunkQueue<Chunk>, controller: AbortController, signal: AbortSignal | null) {
    this.#queue = queue;
    this.#signal = signal;
    this.controller = controller;
  }

  [Symbol.asyncIterator](): AsyncIterator<Chunk, undefined> {
    if (this.#isTaken) {
      throw new InvalidRequestError("a stream can be iterated once; keep the chunks to read them again");
    }
    this.#isTaken = true;
    const queue = this.#queue;
    const signal = this.#signal;
    const controller = this.controller;
    return {
      async next() {
        // The work may be done while its chunks still wait here: nobody wants them any more.
        if (signal?.aborted === true) queue.cut({ error: abortErrorOf(signal) });
        else if (controller.signal.aborted) queue.cut({});
        const value = await queue.take();
        return value === null ? { done: true, value: undefined } : { done: false, value };
      },
      // A loop that is left by `break`, `return` or `throw` comes here.
      return() {
        controller.abort();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}
