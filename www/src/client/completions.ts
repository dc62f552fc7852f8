// The resources of a client, as the `openai` package has them.

import type {
  ChatCompletionCreateParams,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionCreateParamsStreaming,
  CompletionCreateParams,
  CompletionCreateParamsNonStreaming,
  CompletionCreateParamsStreaming,
  EmbeddingCreateParams,
} from "../index.js";
import type {
  ClientChatCompletion,
  ClientChatCompletionChunk,
  ClientCompletion,
  ClientEmbeddingResponse,
  ClientModelList,
} from "./answers.js";
import type { Asker, Call, ClientRequestOptions } from "./ask.js";
import type { AnswerStream } from "./stream.js";

const CHAT: Call = {
  method: "POST",
  path: "/chat/completions",
  list: "choices",
  local: (model, body, options) => model.chat.completions.create(body as ChatCompletionCreateParams, options),
};
const COMPLETE: Call = {
  method: "POST",
  path: "/completions",
  list: "choices",
  local: (model, body, options) => model.completions.create(body as CompletionCreateParams, options),
};
const EMBED: Call = {
  method: "POST",
  path: "/embeddings",
  list: "data",
  local: (model, body, options) => model.embeddings.create(body as EmbeddingCreateParams, options),
};
const LIST: Call = {
  method: "GET",
  path: "/models",
  list: "data",
  local: async (model) => (await (await model.fetch("https://model.invalid/models")).json()) as object,
};

/** Chat completions of a client. */
export class ClientChatCompletions {
  readonly #asker: Asker;

  /** @internal */
  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /**
   * Answers a conversation, here or on the server: the whole answer, or with `stream: true` a stream of its chunks, of which the
   * first is waited for. What fails before it may be answered by the other side, what fails after it may not.
   *
   * @example
   * const answer = await client.chat.completions.create({ messages: [{ role: "user", content: "Hello" }] });
   * console.log(answer.puna.ranOn, answer.choices[0]?.message.content);
   */
  create(
    body: ChatCompletionCreateParamsNonStreaming,
    options?: ClientRequestOptions,
  ): Promise<ClientChatCompletion>;
  create(
    body: ChatCompletionCreateParamsStreaming,
    options?: ClientRequestOptions,
  ): Promise<AnswerStream<ClientChatCompletionChunk>>;
  create(
    body: ChatCompletionCreateParams,
    options?: ClientRequestOptions,
  ): Promise<ClientChatCompletion | AnswerStream<ClientChatCompletionChunk>>;
  create(
    body: ChatCompletionCreateParams,
    options: ClientRequestOptions = {},
  ): Promise<ClientChatCompletion | AnswerStream<ClientChatCompletionChunk>> {
    return this.#asker.ask<ClientChatCompletion, ClientChatCompletionChunk>(CHAT, body, options);
  }
}

/** Texts that a client's models go on with, without a chat. */
export class ClientCompletions {
  readonly #asker: Asker;

  /** @internal */
  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /** Goes on with a text, here or on the server; as of `model.completions`, and as chats of a client are answered. */
  create(body: CompletionCreateParamsNonStreaming, options?: ClientRequestOptions): Promise<ClientCompletion>;
  create(
    body: CompletionCreateParamsStreaming,
    options?: ClientRequestOptions,
  ): Promise<AnswerStream<ClientCompletion>>;
  create(
    body: CompletionCreateParams,
    options?: ClientRequestOptions,
  ): Promise<ClientCompletion | AnswerStream<ClientCompletion>>;
  create(
    body: CompletionCreateParams,
    options: ClientRequestOptions = {},
  ): Promise<ClientCompletion | AnswerStream<ClientCompletion>> {
    return this.#asker.ask<ClientCompletion, ClientCompletion>(COMPLETE, body, options);
  }
}

/** Vectors of texts. */
export class ClientEmbeddings {
  readonly #asker: Asker;

  /** @internal */
  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /**
   * Makes a vector of each text. Vectors of two models can't be compared: where they are kept, let one side make them all
   * (`{ policy: "local" }`), or look at `puna.ranOn` and `model`.
   */
  async create(
    body: EmbeddingCreateParams,
    options: ClientRequestOptions = {},
  ): Promise<ClientEmbeddingResponse> {
    return (await this.#asker.ask<ClientEmbeddingResponse, never>(
      EMBED,
      body,
      options,
    )) as ClientEmbeddingResponse;
  }
}

/** The models that there are. */
export class ClientModels {
  readonly #asker: Asker;

  /** @internal */
  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /** Those of the side that the request goes to: the one that is loaded, or the server's. */
  async list(options: ClientRequestOptions = {}): Promise<ClientModelList> {
    return (await this.#asker.ask<ClientModelList, never>(LIST, null, options)) as ClientModelList;
  }
}
