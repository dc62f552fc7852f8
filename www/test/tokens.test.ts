// Texts in tokens.
import { describe, expect, it } from "vitest";

import { InvalidRequestError } from "../src/errors.js";
import { loaded, rejectionOf, say } from "./support.js";

describe("tokens", () => {
  it("are told, counted, and made texts again", async () => {
    const { model } = await loaded();
    expect(await model.tokenize("hé")).toEqual([
      { id: 104, text: "h" },
      { id: 233, text: "é" },
    ]);
    expect(await model.countTokens({ messages: say("four") })).toBe(4);
    expect(await model.detokenize([104, 233])).toBe("hé");
    expect(await model.detokenize(new Set([104]), { special: true })).toBe("h");
    for (const wrong of [-1, 1.5, 2 ** 32, NaN]) {
      expect(await rejectionOf(model.detokenize([1, wrong]))).toBeInstanceOf(InvalidRequestError);
    }
  });

  it("are counted while an answer is made", async () => {
    const { model } = await loaded("chunk_ms=50");
    let isMade = false;
    const answer = model.chat.completions.create({ messages: say("Hello") });
    const ended = rejectionOf(answer.finally(() => (isMade = true)));
    expect(await model.countTokens("abc")).toBe(3);
    expect(isMade).toBe(false);
    await model.unload();
    expect(await ended).toMatchObject({ name: "AbortError" });
    expect(await rejectionOf(model.countTokens("abc"))).toBeInstanceOf(InvalidRequestError);
  });

  it("have probabilities", async () => {
    const { model } = await loaded("chunk_ms=5");
    const score = await model.score("abc", { after: { prompt: "x" } });
    expect(score.tokens).toEqual([
      { id: 97, text: "a", logprob: null },
      { id: 98, text: "b", logprob: -1 },
      { id: 99, text: "c", logprob: -1 },
    ]);
    expect(score).toMatchObject({ logprob: -2, perplexity: Math.E });
    const signal = AbortSignal.abort();
    expect(await rejectionOf(model.score("abc", { signal }))).toMatchObject({ name: "AbortError" });
  });
});
