// `model.chat.completions.create`, as in the `openai` package.

import { onAbort } from "./abort.js";
import { AbortError, InvalidRequestError, abortErrorOf } from "./errors.js";
import { ChunkQueue } from "./queue.js";
import { ChatStream } from "./stream.js";
import type {
  ChatCompletion,
  ChatCompletionCreateParams,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionCreateParamsStreaming,
} from "./types/openai.js";
import type { WorkerClient } from "./worker/client.js";

/** Options of a request that are not part of the wire format. */
export interface RequestOptions {
  /** Stops the work: the promise, or the loop over the stream, ends with an `AbortError`. */
  signal?: AbortSignal | null;
}

/** Chat completions of one model. */
export class Completions {
  readonly #client: WorkerClient;

  /** @internal */
  constructor(client: WorkerClient) {
    this.#client = client;
  }

  /**
   * Answers a conversation: the whole answer, or with `stream: true` a stream of its chunks.
   *
   * A model answers one request at a time; others wait for their turn in the order they were made. The
   * promise of a stream resolves with the first chunk, so that a refused request rejects it.
   *
   * @example
   * const answer = await model.chat.completions.create({ messages: [{ role: "user", content: "Hello" }] });
   */
  create(body: ChatCompletionCreateParamsNonStreaming, options?: RequestOptions): Promise<ChatCompletion>;
  create(body: ChatCompletionCreateParamsStreaming, options?: RequestOptions): Promise<ChatStream>;
  create(body: ChatCompletionCreateParams, options?: RequestOptions): Promise<ChatCompletion | ChatStream>;
  async create(
    body: ChatCompletionCreateParams,
    { signal = null }: RequestOptions = {},
  ): Promise<ChatCompletion | ChatStream> {
    if (signal?.aborted === true) throw abortErrorOf(signal);
    const request = jsonOf(body);
    return body.stream === true ? this.#stream(request, signal) : this.#whole(request, signal);
  }

  async #whole(request: string, signal: AbortSignal | null): Promise<ChatCompletion> {
    const completion = await this.#client.answer("chat", { request }, signal);
    if (completion === null) throw new InvalidRequestError("stream: expected true, false or nothing");
    return completion;
  }

  async #stream(request: string, signal: AbortSignal | null): Promise<ChatStream> {
    const queue = new ChunkQueue();
    const controller = new AbortController();
    const call = this.#client.start("chat", { request }, (event) => {
      if (event.kind === "chunk") queue.push(event.chunk);
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
