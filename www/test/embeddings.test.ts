import { describe, expect, it } from "vitest";

import { AbortError, InvalidRequestError } from "../src/errors.js";
import { loaded, rejectionOf, say, until } from "./support.js";

describe("embeddings", () => {
  it("are OpenAI's, in the order of their texts", async () => {
    const { model } = await loaded();
    expect(await model.embeddings.create({ input: ["a", "b"], model: "m" })).toEqual({
      object: "list",
      data: [
        { object: "embedding", index: 0, embedding: [0.6, 0.8] },
        { object: "embedding", index: 1, embedding: [0.6, 0.8] },
      ],
      model: "m",
      usage: { prompt_tokens: 4, total_tokens: 4 },
    });
    expect(model.info.embeddingDimensions).toBeNull();
  });

  it("wait for their turn, as chats do", async () => {
    const { model } = await loaded("chunk_ms=2");
    const [answer, vectors] = await Promise.all([
      model.chat.completions.create({ messages: say("hi"), max_tokens: 3 }),
      model.embeddings.create({ input: ["a"] }),
    ]);
    expect(answer.object).toBe("chat.completion");
    expect(vectors.data).toHaveLength(1);
  });

  it("reject with the class and code of the engine's error, and at once when they are stopped", async () => {
    const { model, worker } = await loaded("chunk_ms=20");
    const error = await rejectionOf(model.embeddings.create({} as never));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error).toMatchObject({ code: "invalid_request", param: "input" });
    const abort = new AbortController();
    const stopped = rejectionOf(model.embeddings.create({ input: ["a"] }, { signal: abort.signal }));
    await until(() => worker.received.length === 3);
    abort.abort("why");
    expect(await stopped).toBeInstanceOf(AbortError);
    expect(await stopped).toMatchObject({ cause: "why" });
    const signal = AbortSignal.abort();
    expect(await rejectionOf(model.embeddings.create({ input: "a" }, { signal }))).toBeInstanceOf(AbortError);
    expect((await model.embeddings.create({ input: ["a"] })).object).toBe("list");
  });

  it.each([[null], ["text"], [undefined]])("refuse %j as a request", async (body) => {
    const { model } = await loaded();
    expect(await rejectionOf(model.embeddings.create(body as never))).toBeInstanceOf(InvalidRequestError);
  });
});
