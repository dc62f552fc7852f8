// `model.chat.completions.create`, as in the `openai` package.

import { type RequestOptions, Texts } from "./texts.js";
import type { ChatStream } from "./stream.js";
import type {
  ChatCompletion,
  ChatCompletionCreateParams,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionCreateParamsStreaming,
} from "./types/openai.js";
import type { Backend } from "./worker/client.js";

/** Chat completions of one model. */
export class ChatCompletions {
  readonly #texts: Texts<"chat">;

  /** @internal */
  constructor(client: Backend) {
    this.#texts = new Texts(client, "chat");
  }

  /**
   * Answers a conversation: the whole answer, or with `stream: true` a stream of its chunks.
   *
   * A model answers some requests at a time, by turns; others wait in the order they were made. The
   * promise of a stream resolves with the first chunk, so that a refused request rejects it.
   *
   * @example
   * const answer = await model.chat.completions.create({ messages: [{ role: "user", content: "Hello" }] });
   */
  create(body: ChatCompletionCreateParamsNonStreaming, options?: RequestOptions): Promise<ChatCompletion>;
  create(body: ChatCompletionCreateParamsStreaming, options?: RequestOptions): Promise<ChatStream>;
  create(body: ChatCompletionCreateParams, options?: RequestOptions): Promise<ChatCompletion | ChatStream>;
  create(
    body: ChatCompletionCreateParams,
    options: RequestOptions = {},
  ): Promise<ChatCompletion | ChatStream> {
    return this.#texts.create(body, options);
  }
}
