// Requests that are answered with texts, whole or in chunks.

import { onAbort } from "./abort.js";
import { AbortError, InvalidRequestError, abortErrorOf } from "./errors.js";
import { ChunkQueue } from "./queue.js";
import { ChatStream } from "./stream.js";
import type { Chunks, Results } from "./types/messages.js";
import type { Backend } from "./worker/client.js";

/** Options of a request that are not part of the wire format. */
export interface RequestOptions {
  /** Stops the work: the promise, or the loop over the stream, ends with an `AbortError`. */
  signal?: AbortSignal | null;
}

/** Asks one model for texts, by requests of one kind, as JSON. */
export class Texts<K extends keyof Chunks> {
  readonly #client: Backend;
  readonly #kind: K;

  constructor(client: Backend, kind: K) {
    this.#client = client;
    this.#kind = kind;
  }

  /** What a request in an object asks for: the whole answer, or with `stream: true` a stream. */
  async create(
    body: { stream?: boolean | null },
    { signal = null }: RequestOptions,
  ): Promise<NonNullable<Results[K]> | ChatStream<Chunks[K]>> {
    const request = jsonOf(body);
    return body.stream === true ? this.stream(request, signal) : this.whole(request, signal);
  }

  /** The whole answer. */
  async whole(request: string, signal: AbortSignal | null): Promise<NonNullable<Results[K]>> {
    if (signal?.aborted === true) throw abortErrorOf(signal);
    const answer = await this.#client.answer(this.#kind, { request }, signal);
    if (answer === null) throw new InvalidRequestError("stream: expected true, false or nothing");
    return answer;
  }

  /** The answer as it is made; resolves with its first chunk, so that a refused request rejects it. */
  async stream(request: string, signal: AbortSignal | null): Promise<ChatStream<Chunks[K]>> {
    if (signal?.aborted === true) throw abortErrorOf(signal);
    const queue = new ChunkQueue<Chunks[K]>();
    const controller = new AbortController();
    const call = this.#client.start(this.#kind, { request }, (event) => {
      // A request is answered by its own kind of chunks.
      if (event.kind === "chunk") queue.push(event.chunk as Chunks[K]);
    });
    const releaseSignal = onAbort(signal, () => {
      if (signal === null) return;
      const error = abortErrorOf(signal);
      queue.cut({ error });
      call.cancel(error);
    });
    const releaseController = onAbort(controller.signal, () => {
      queue.cut({});
      call.cancel(new AbortError());
    });
    call.result
      .then(
        () => {
          queue.close();
        },
        (error: unknown) => {
          queue.fail(error);
        },
      )
      .finally(() => {
        releaseSignal();
        releaseController();
      });
    await queue.ready();
    return new ChatStream(queue, controller, signal);
  }
}

/** The request as the engine reads it. */
export function jsonOf(body: unknown): string {
  if (typeof body !== "object" || body === null) {
    throw new InvalidRequestError(
      `the request: expected an object, got ${body === null ? "null" : typeof body}`,
    );
  }
  try {
    return JSON.stringify(body);
  } catch (cause) {
    throw new InvalidRequestError(`the request can't be written as JSON: ${String(cause)}`, { cause });
  }
}
