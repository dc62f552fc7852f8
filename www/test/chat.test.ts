import { describe, expect, it } from "vitest";

import { AbortError, InvalidRequestError, PunaError } from "../src/errors.js";
import type { ChatCompletionChunk } from "../src/types/openai.js";
import { ANSWER } from "./fake/answer.js";
import { loaded, rejectionOf, say, textOf, until } from "./support.js";

describe("a whole answer", () => {
  it("is OpenAI's completion", async () => {
    const { model } = await loaded();
    const { object, choices, usage } = await model.chat.completions.create({ messages: say("hi") });
    expect(object).toBe("chat.completion");
    expect(choices[0]).toMatchObject({
      finish_reason: "stop",
      message: { role: "assistant", content: ANSWER },
    });
    expect(usage.total_tokens).toBe(31 + usage.completion_tokens);
  });

  it("rejects with the class and code of the engine's error, and the next request is answered", async () => {
    const { model } = await loaded();
    const error = await rejectionOf(model.chat.completions.create({ messages: [] }));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error).toMatchObject({ code: "invalid_request", param: "messages" });
    const next = await model.chat.completions.create({ messages: say("hi"), max_tokens: 2 });
    expect(next.choices[0]?.finish_reason).toBe("length");
  });

  it("rejects at once when its signal is aborted, and the engine stops", async () => {
    const { model, worker } = await loaded("chunk_ms=10");
    const abort = new AbortController();
    const result = rejectionOf(
      model.chat.completions.create({ messages: say("hi") }, { signal: abort.signal }),
    );
    await until(() => worker.received.length === 2);
    abort.abort("why");
    const error = await result;
    expect(error).toBeInstanceOf(AbortError);
    expect(error).toMatchObject({ cause: "why" });
    await until(() => worker.endsOf(2).length > 0);
    expect(worker.endsOf(2)).toMatchObject([{ kind: "failed", error: { code: "aborted" } }]);
    expect((await model.chat.completions.create({ messages: say("hi"), max_tokens: 1 })).object).toBe(
      "chat.completion",
    );
  });

  it("sends nothing when its signal was aborted before", async () => {
    const { model, worker } = await loaded();
    const signal = AbortSignal.abort();
    expect(
      await rejectionOf(model.chat.completions.create({ messages: say("hi") }, { signal })),
    ).toBeInstanceOf(AbortError);
    expect(worker.received).toHaveLength(1);
  });

  it("leaves no listener on a signal that outlives it", async () => {
    const { model } = await loaded();
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      listeners++;
      add(...given);
    };
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      listeners--;
      remove(...given);
    };
    await model.chat.completions.create({ messages: say("hi"), max_tokens: 1 }, { signal });
    expect(listeners).toBe(0);
    const stream = await model.chat.completions.create({ messages: say("hi"), stream: true }, { signal });
    for await (const chunk of stream) expect(chunk.object).toBe("chat.completion.chunk");
    expect(listeners).toBe(0);
  });

  it.each([[null], ["text"], [undefined]])("refuses %j as a request", async (body) => {
    const { model } = await loaded();
    expect(await rejectionOf(model.chat.completions.create(body as never))).toBeInstanceOf(
      InvalidRequestError,
    );
  });

  it("refuses a request that is no JSON", async () => {
    const { model } = await loaded();
    const body = { messages: say("hi"), seed: 1n as unknown as number };
    expect(await rejectionOf(model.chat.completions.create(body))).toBeInstanceOf(InvalidRequestError);
  });
});

describe("a streamed answer", () => {
  it("comes in chunks: the role first, the reason last, then the usage where asked for", async () => {
    const { model } = await loaded();
    const stream = await model.chat.completions.create({
      messages: say("hi"),
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks[0]?.choices[0]?.delta.role).toBe("assistant");
    expect(textOf(chunks)).toBe(ANSWER);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("stop");
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 31 } });
  });

  it("rejects the promise, not the loop, when the request is refused", async () => {
    const { model } = await loaded();
    const error = await rejectionOf(model.chat.completions.create({ messages: [], stream: true }));
    expect(error).toBeInstanceOf(InvalidRequestError);
  });

  it("gives what was made before a failure, then throws", async () => {
    const { model } = await loaded("fail_chat=device_lost");
    const stream = await model.chat.completions.create({ messages: say("hi"), stream: true });
    const chunks: ChatCompletionChunk[] = [];
    const error = await rejectionOf(
      (async () => {
        for await (const chunk of stream) chunks.push(chunk);
      })(),
    );
    expect(error).toBeInstanceOf(PunaError);
    expect(error).toMatchObject({ code: "device_lost", details: { reason: "unknown" } });
    expect(chunks).toHaveLength(4);
  });

  // The engine at its pace, and an engine that is done before the loop begins.
  it.each(["chunk_ms=5", ""])(
    "throws an AbortError in the loop when the signal is aborted (%s)",
    async (pace) => {
      const { model, worker } = await loaded(pace);
      const abort = new AbortController();
      const stream = await model.chat.completions.create(
        { messages: say("hi"), stream: true },
        { signal: abort.signal },
      );
      if (pace === "") await until(() => worker.endsOf(2).length > 0);
      let count = 0;
      const error = await rejectionOf(
        (async () => {
          for await (const chunk of stream) {
            expect(chunk.object).toBe("chat.completion.chunk");
            if (++count === 3) abort.abort("why");
          }
        })(),
      );
      expect(error).toBeInstanceOf(AbortError);
      expect(error).toMatchObject({ cause: "why" });
      expect(count).toBe(3);
      await until(() => worker.endsOf(2).length === 1);
      if (pace !== "") expect(worker.endsOf(2)).toMatchObject([{ error: { code: "aborted" } }]);
    },
  );

  it("is not disturbed by a signal that is aborted after its end", async () => {
    const { model } = await loaded();
    const abort = new AbortController();
    const stream = await model.chat.completions.create(
      { messages: say("hi"), stream: true },
      { signal: abort.signal },
    );
    const iterator = stream[Symbol.asyncIterator]();
    while ((await iterator.next()).done !== true);
    abort.abort();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("stops the work in silence when the loop is left", async () => {
    const { model, worker } = await loaded("chunk_ms=5");
    const stream = await model.chat.completions.create({ messages: say("hi"), stream: true });
    for await (const chunk of stream) {
      expect(chunk.choices).toHaveLength(1);
      break;
    }
    expect(stream.controller.signal.aborted).toBe(true);
    await until(() => worker.endsOf(2).length > 0);
    expect(worker.endsOf(2)).toMatchObject([{ kind: "failed", error: { code: "aborted" } }]);
    const next = await model.chat.completions.create({ messages: say("hi"), max_tokens: 1 });
    expect(next.choices).toHaveLength(1);
  });

  it("stops the work when its iterator is closed before it began", async () => {
    const { model, worker } = await loaded("chunk_ms=5");
    const stream = await model.chat.completions.create({ messages: say("hi"), stream: true });
    await stream[Symbol.asyncIterator]().return?.();
    await until(() => worker.endsOf(2).length > 0);
    expect(worker.endsOf(2)).toMatchObject([{ error: { code: "aborted" } }]);
  });

  it.each(["chunk_ms=5", ""])(
    "ends the loop without an error when its own controller stops it, as in the openai package (%s)",
    async (pace) => {
      const { model, worker } = await loaded(pace);
      const stream = await model.chat.completions.create({ messages: say("hi"), stream: true });
      if (pace === "") await until(() => worker.endsOf(2).length > 0);
      let count = 0;
      for await (const chunk of stream) {
        expect(chunk.choices).toHaveLength(1);
        if (++count === 2) stream.controller.abort();
      }
      expect(count).toBe(2);
      await until(() => worker.endsOf(2).length === 1);
      if (pace !== "") expect(worker.endsOf(2)).toMatchObject([{ error: { code: "aborted" } }]);
    },
  );

  it("can be iterated once", async () => {
    const { model } = await loaded();
    const stream = await model.chat.completions.create({ messages: say("hi"), stream: true });
    for await (const chunk of stream) expect(chunk.choices).toHaveLength(1);
    expect(() => stream[Symbol.asyncIterator]()).toThrow(InvalidRequestError);
  });
});
