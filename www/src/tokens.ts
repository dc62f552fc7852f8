// Texts as the model reads them: in tokens, and how likely they are.

import { InvalidRequestError, abortErrorOf } from "./errors.js";
import { type RequestOptions, jsonOf } from "./texts.js";
import type { Score, TextSource, Token } from "./types/tokens.js";
import type { Backend } from "./worker/client.js";

/** The tokens of a text, or of a prompt. */
export async function tokenize(client: Backend, source: TextSource): Promise<Token[]> {
  const { ids, texts } = await told(client, source);
  return ids.map((id, ix) => ({ id, text: texts[ix] ?? "" }));
}

/** How many there are. */
export async function countTokens(client: Backend, source: TextSource): Promise<number> {
  return (await told(client, source)).ids.length;
}

function told(client: Backend, source: TextSource): Promise<{ ids: number[]; texts: string[] }> {
  const request = jsonOf(typeof source === "string" ? { text: source } : source);
  return client.answer("tokenize", { wire: "", request }, null);
}

/** The text of tokens; `special` shows control tokens. */
export function detokenize(client: Backend, ids: Iterable<number>, special: boolean): Promise<string> {
  const given = [...ids];
  const wrong = given.find((id) => !Number.isInteger(id) || id < 0 || id >= 2 ** 32);
  if (wrong !== undefined) {
    throw new InvalidRequestError(`ids: expected token ids, got ${String(wrong)}`, {
      details: { param: "ids" },
    });
  }
  return client.answer("detokenize", { ids: Uint32Array.from(given), special }, null);
}

/** What `score` takes besides. */
export interface ScoreOptions extends RequestOptions {
  /** What stands in front of the text and is given: a conversation that it answers, or a text that it goes on with. */
  after?: Exclude<TextSource, string>;
}

/** How likely a text is. */
export async function score(
  client: Backend,
  text: string,
  { after, signal = null }: ScoreOptions,
): Promise<Score> {
  if (signal?.aborted === true) throw abortErrorOf(signal);
  const request = jsonOf({ ...after, text });
  const { ids, texts, logprobs, logprob, perplexity } = await client.answer("score", { request }, signal);
  const tokens = ids.map((id, ix) => ({ id, text: texts[ix] ?? "", logprob: logprobs[ix] ?? null }));
  return { tokens, logprob, perplexity };
}
