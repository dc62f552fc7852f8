// `model.completions.create`, as in the `openai` package.

import { type RequestOptions, Texts } from "./texts.js";
import type { ChatStream } from "./stream.js";
import type {
  Completion,
  CompletionCreateParams,
  CompletionCreateParamsNonStreaming,
  CompletionCreateParamsStreaming,
} from "./types/openai.js";
import type { Backend } from "./worker/client.js";

/** Texts that one model goes on with, without a chat. */
export class Completions {
  readonly #texts: Texts<"complete">;

  /** @internal */
  constructor(client: Backend) {
    this.#texts = new Texts(client, "complete");
  }

  /**
   * Goes on with a text, or with each of several: the whole answer, or with `stream: true` a stream of its parts. What a
   * model asks for in front of a text is put there; a chat template is not used. The answer has at most 16 tokens unless
   * `max_tokens` says otherwise, as OpenAI has it.
   *
   * @example
   * const { choices } = await model.completions.create({ prompt: "Once upon a time", max_tokens: 50 });
   */
  create(body: CompletionCreateParamsNonStreaming, options?: RequestOptions): Promise<Completion>;
  create(body: CompletionCreateParamsStreaming, options?: RequestOptions): Promise<ChatStream<Completion>>;
  create(
    body: CompletionCreateParams,
    options?: RequestOptions,
  ): Promise<Completion | ChatStream<Completion>>;
  create(
    body: CompletionCreateParams,
    options: RequestOptions = {},
  ): Promise<Completion | ChatStream<Completion>> {
    return this.#texts.create(body, options);
  }
}
