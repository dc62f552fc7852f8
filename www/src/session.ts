// Conversations that are read ahead of a question, and saved.

import { jsonOf, type RequestOptions } from "./texts.js";
import { InvalidRequestError, abortErrorOf } from "./errors.js";
import type { SessionSource } from "./types/model.js";
import type { Backend } from "./worker/client.js";

/** How `save` may keep what the model has read. */
const PRECISIONS = ["f16", "q8"] as const;

/** The beginning of conversations, which the model has read. */
export class Session {
  /** Tokens of it. */
  readonly tokens: number;
  /** Tokens of it that were known before. */
  readonly cachedTokens: number;
  readonly #client: Backend;
  readonly #ids: Uint32Array;

  /** @internal */
  constructor(client: Backend, ids: number[], cachedTokens: number) {
    this.#client = client;
    this.#ids = Uint32Array.from(ids);
    this.tokens = ids.length;
    this.cachedTokens = cachedTokens;
  }

  /**
   * What the model keeps of it as bytes, for `model.session` another time: with the same model on any device. `q8` takes half
   * of what `f16` does, and loses a little. What the model has forgotten meanwhile is read again.
   *
   * @example
   * await cache.put("/guide.session", new Response(await session.save({ precision: "q8" })));
   */
  async save({
    precision = "f16",
    signal = null,
  }: RequestOptions & { precision?: "f16" | "q8" } = {}): Promise<Uint8Array<ArrayBuffer>> {
    if (!PRECISIONS.includes(precision)) {
      throw new InvalidRequestError(`precision: expected "f16" or "q8", got ${JSON.stringify(precision)}`, {
        details: { param: "precision" },
      });
    }
    if (signal?.aborted === true) throw abortErrorOf(signal);
    return this.#client.answer("save", { ids: this.#ids, precision }, signal);
  }
}

/** Reads a beginning, or takes a saved one. */
export async function session(
  client: Backend,
  source: SessionSource,
  { signal = null }: RequestOptions = {},
): Promise<Session> {
  if (signal?.aborted === true) throw abortErrorOf(signal);
  const bytes = bytesOf(source);
  const { ids, cachedTokens } =
    bytes === null
      ? await client.answer("read", { request: jsonOf(source) }, signal)
      : await client.answer("restore", { bytes }, signal);
  return new Session(client, ids, cachedTokens);
}

/** A copy of bytes, if that is what was given. */
function bytesOf(source: SessionSource): Uint8Array | null {
  if (source instanceof ArrayBuffer) return new Uint8Array(source.slice());
  return source instanceof Uint8Array ? source.slice() : null;
}
