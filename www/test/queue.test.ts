// As many requests at a time as the engine has room for; the others wait.
import { describe, expect, it } from "vitest";

import { AbortError } from "../src/errors.js";
import { loaded, rejectionOf, say, textOf, until } from "./support.js";

describe("requests at the same time", () => {
  it("are answered one after the other, in the order they were made", async () => {
    const { model, worker } = await loaded("chunk_ms=1");
    // The fake engine throws `busy` when it is asked while it answers.
    const ends: number[] = [];
    await Promise.all(
      [1, 2, 3].map(async (number) => {
        await model.chat.completions.create({ messages: say("hi"), max_tokens: 4 - number });
        ends.push(number);
      }),
    );
    expect(ends).toEqual([1, 2, 3]);
    expect(worker.sent.filter(({ kind }) => kind === "failed")).toEqual([]);
  });

  it("do not mix their chunks", async () => {
    const { model } = await loaded("chunk_ms=1");
    const read = async (): Promise<string> => {
      const stream = await model.chat.completions.create({
        messages: say("/count"),
        stream: true,
        max_tokens: 9,
      });
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      return textOf(chunks);
    };
    const [one, two] = await Promise.all([read(), read()]);
    expect(one).toBe("1 2 3 4 5 6 7 8 9");
    expect(two).toBe(one);
  });

  it("are answered beside each other where the engine has room for them", async () => {
    const { model, worker } = await loaded("chunk_ms=2&parallel=3");
    const ends: number[] = [];
    await Promise.all(
      [12, 3, 6, 1].map(async (tokens) => {
        await model.chat.completions.create({ messages: say("hi"), max_tokens: tokens });
        ends.push(tokens);
      }),
    );
    // The last one waits for the first that ends.
    expect(ends).toEqual([3, 1, 6, 12]);
    expect(worker.sent.filter(({ kind }) => kind === "failed")).toEqual([]);
  });

  it("leave the engine to what takes it whole, and wait for that", async () => {
    const { model, worker } = await loaded("chunk_ms=2&parallel=2");
    const ends: string[] = [];
    const asked = [
      ["chat", model.chat.completions.create({ messages: say("hi"), max_tokens: 5 })],
      ["vectors", model.embeddings.create({ input: ["a"] })],
      ["chat again", model.chat.completions.create({ messages: say("hi"), max_tokens: 1 })],
    ] as const;
    await Promise.all(asked.map(async ([name, answer]) => (await answer, ends.push(name))));
    // The fake engine throws `busy` when it is asked for both at once.
    expect(ends).toEqual(["chat", "vectors", "chat again"]);
    expect(worker.sent.filter(({ kind }) => kind === "failed")).toEqual([]);
  });

  it("are refused with busy where too many wait", async () => {
    const { model } = await loaded("chunk_ms=2", { queueLimit: 2 });
    const ask = (): Promise<unknown> => model.chat.completions.create({ messages: say("hi"), max_tokens: 4 });
    const answers = [ask(), ask(), ask()];
    const error = await rejectionOf(ask());
    expect(error).toMatchObject({ code: "busy", details: { waiting: 2 } });
    await Promise.all(answers);
    await ask();
  });

  it("are answered, but none waits, where none may", async () => {
    const { model } = await loaded("chunk_ms=2&untuned=3", { queueLimit: 0 });
    const ask = (): Promise<unknown> => model.chat.completions.create({ messages: say("hi"), max_tokens: 4 });
    const first = ask();
    expect(await rejectionOf(model.session({ messages: say("hi") }))).toMatchObject({ code: "busy" });
    await first;
    await ask();
  });

  it("can be stopped while they wait, and never reach the engine", async () => {
    const { model, worker } = await loaded("chunk_ms=5");
    const first = model.chat.completions.create({ messages: say("hi"), max_tokens: 8 });
    const abort = new AbortController();
    const second = rejectionOf(
      model.chat.completions.create({ messages: say("hi") }, { signal: abort.signal }),
    );
    const third = model.chat.completions.create({ messages: say("hi"), max_tokens: 2 });
    await until(() => worker.received.length === 4);
    abort.abort();
    expect(await second).toBeInstanceOf(AbortError);
    await until(() => worker.endsOf(3).length > 0);
    expect(worker.endsOf(2), "the first still runs").toEqual([]);
    await Promise.all([first, third]);
    expect((await model.counters()).steps, "8 of the first, 2 of the third").toBe(10);
  });

  it("let the counters be read meanwhile", async () => {
    const { model, worker } = await loaded("chunk_ms=5");
    const answer = model.chat.completions.create({ messages: say("hi"), max_tokens: 20 });
    await until(() => worker.received.length === 2);
    const { steps, wasmHeapBytes } = await model.counters();
    expect(steps).toBeLessThan(20);
    expect(wasmHeapBytes).toBeGreaterThan(0);
    expect(worker.endsOf(2)).toEqual([]);
    await answer;
  });

  it("go before the timing of shaders, which goes on while there are none", async () => {
    const { model, worker } = await loaded("untuned=40");
    const before = (await model.counters()).untuned;
    await model.chat.completions.create({ messages: say("hi"), max_tokens: 2 });
    const after = (await model.counters()).untuned;
    expect(before).toBeGreaterThan(after - 1);
    expect(after, "it did not wait for all of them").toBeGreaterThan(0);
    const limit = Date.now() + 1000;
    while ((await model.counters()).untuned > 0) expect(Date.now()).toBeLessThan(limit);
    await model.chat.completions.create({ messages: say("hi"), max_tokens: 2 });
    // The fake engine throws `busy` when it is asked for both at once.
    expect(worker.sent.filter(({ kind }) => kind === "failed")).toEqual([]);
  });

  it("end exactly once each", async () => {
    const { model, worker } = await loaded("chunk_ms=1");
    const abort = new AbortController();
    await Promise.allSettled([
      model.chat.completions.create({ messages: say("hi"), max_tokens: 3 }),
      model.chat.completions.create({ messages: [] }),
      model.chat.completions.create({ messages: say("/fail out_of_memory") }),
      model.chat.completions.create({ messages: say("hi") }, { signal: abort.signal }),
      Promise.resolve().then(() => {
        abort.abort();
      }),
    ]);
    await model.chat.completions.create({ messages: say("hi"), max_tokens: 1 });
    for (const id of [1, 2, 3, 4, 5]) expect(worker.endsOf(id), `request ${id}`).toHaveLength(1);
  });
});
