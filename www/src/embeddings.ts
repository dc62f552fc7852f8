// `model.embeddings.create`, as in the `openai` package.

import { jsonOf, type RequestOptions } from "./texts.js";
import { abortErrorOf } from "./errors.js";
import type { CreateEmbeddingResponse, EmbeddingCreateParams } from "./types/openai.js";
import type { Backend } from "./worker/client.js";

/** Vectors of texts, of models that make such. */
export class Embeddings {
  readonly #client: Backend;

  /** @internal */
  constructor(client: Backend) {
    this.#client = client;
  }

  /**
   * Makes a vector of length 1 of each text; the product of two tells how alike they are. Texts that are longer than the
   * model's context are refused.
   *
   * @example
   * const { data } = await model.embeddings.create({ input: ["a cat", "a kitten"] });
   */
  async create(
    body: EmbeddingCreateParams,
    { signal = null }: RequestOptions = {},
  ): Promise<CreateEmbeddingResponse> {
    if (signal?.aborted === true) throw abortErrorOf(signal);
    return this.#client.answer("embed", { request: jsonOf(body) }, signal);
  }
}
