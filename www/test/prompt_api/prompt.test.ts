import { describe, expect, it, vi } from "vitest";

import { rejectionOf, until } from "../support.js";
import { chunksOf, gate, scripted } from "./support.js";

describe("prompt", () => {
  it("answers what the user says, and goes on with the conversation", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = (_, count) => `Answer ${count}.`;
    const session = await LanguageModel.create({
      initialPrompts: [{ role: "system", content: "Be kind." }],
    });
    expect(await session.prompt("One")).toBe("Answer 1.");
    expect(await session.prompt([{ role: "user", content: "Two" }])).toBe("Answer 2.");
    expect(script.requests[1]?.messages).toEqual([
      { role: "system", content: "Be kind." },
      { role: "user", content: "One" },
      { role: "assistant", content: "Answer 1." },
      { role: "user", content: "Two" },
    ]);
  });

  it.each([
    [undefined, "undefined"],
    [null, "null"],
    [{}, "[object Object]"],
    [5, "5"],
    ["", ""],
    [[], ""],
    [[{ role: "user", content: [] }], ""],
    [
      [
        {
          role: "user",
          content: [
            { type: "text", value: "foo" },
            { type: "text", value: "bar" },
          ],
        },
      ],
      "foobar",
    ],
  ])("takes %j as Web IDL has it", async (input, said) => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create();
    expect(await session.prompt(input as string)).toBe("Yes.");
    expect(script.requests[0]?.messages).toEqual([{ role: "user", content: said }]);
  });

  it("goes on from a prefix, which stands in the conversation and not in the answer", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = (_, count) => (count === 1 ? "<b>bold</b>" : "Yes.");
    const session = await LanguageModel.create();
    const input = [
      { role: "user", content: "Say it" },
      { role: "assistant", content: "<b>", prefix: true },
    ] as const;
    expect((await chunksOf(session.promptStreaming([...input]))).join("")).toBe("bold</b>");
    expect(script.requests[0]?.messages).toEqual([{ role: "user", content: "Say it" }]);
    expect(script.requests[0]?.puna?.regex).toBe("\\x{3c}b\\x{3e}(?s:.*)");
    await session.prompt("And?");
    expect(script.requests[1]?.messages[1]).toEqual({ role: "assistant", content: "<b>bold</b>" });
  });

  it("does one thing after the other", async () => {
    const { LanguageModel, script } = scripted();
    const first = gate();
    script.answer = async ({ messages }) => {
      if (messages.length === 1) await first.opened;
      return `${messages.length}`;
    };
    const session = await LanguageModel.create();
    const all = Promise.all([
      session.prompt("a"),
      session.append("b"),
      session.prompt("c"),
      chunksOf(session.promptStreaming("d")),
    ]);
    await until(() => script.requests.length === 1);
    expect(script.read).toHaveLength(0);
    first.open();
    expect(await all).toEqual(["1", undefined, "4", ["6"]]);
    expect(script.requests.at(-1)?.messages.map(({ content }) => content)).toEqual([
      "a",
      "1",
      "b",
      "c",
      "4",
      "d",
    ]);
  });

  it("keeps a failed prompt out of the conversation, and takes the next", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = (_, count) => (count === 1 ? Object.assign(new Error("no"), { code: "busy" }) : "Yes.");
    const session = await LanguageModel.create();
    const failed = rejectionOf(session.prompt("a"));
    expect(await session.prompt("b")).toBe("Yes.");
    expect(await failed).toMatchObject({ name: "UnknownError", message: "no", cause: { code: "busy" } });
    expect(script.requests[1]?.messages).toHaveLength(1);
  });

  it("rejects without an input", async () => {
    const { LanguageModel } = scripted();
    const session = await LanguageModel.create();
    expect(await rejectionOf((session.prompt as () => Promise<string>)())).toBeInstanceOf(TypeError);
  });
});

describe("promptStreaming", () => {
  it("gives the answer in pieces", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = () => "One two three.";
    const session = await LanguageModel.create();
    const stream = session.promptStreaming("Count");
    expect(Object.prototype.toString.call(stream)).toBe("[object ReadableStream]");
    const chunks = await chunksOf(stream);
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.join("")).toBe("One two three.");
  });

  it("stops the work when it is cancelled, and forgets what it was asked", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = () => "word ".repeat(200);
    const session = await LanguageModel.create();
    const reader = session.promptStreaming("a").getReader();
    await reader.read();
    await reader.cancel();
    await until(() => script.stopped === 1);
    expect(session.contextUsage).toBe(0);
    script.answer = () => "Yes.";
    expect(await session.prompt("b")).toBe("Yes.");
    expect(script.requests.at(-1)?.messages).toEqual([{ role: "user", content: "b" }]);
  });

  it("is forgotten when it is cancelled before its turn has come", async () => {
    const { LanguageModel, script } = scripted();
    const first = gate();
    script.answer = async () => {
      await first.opened;
      return "Yes.";
    };
    const session = await LanguageModel.create();
    const answer = session.prompt("a");
    await until(() => script.requests.length === 1);
    await session.promptStreaming("b").cancel();
    first.open();
    expect(await answer).toBe("Yes.");
    await session.prompt("c");
    expect(script.requests.map(({ messages }) => messages.at(-1)?.content)).toEqual(["a", "c"]);
  });

  it("does not wait for its reader", async () => {
    const { LanguageModel } = scripted();
    const session = await LanguageModel.create();
    const unread = session.promptStreaming("a");
    expect(await session.prompt("b")).toBe("Yes.");
    expect((await chunksOf(unread)).join("")).toBe("Yes.");
  });

  it("throws what is no prompt at once, and gives what fails later to its reader", async () => {
    const { LanguageModel } = scripted();
    const session = await LanguageModel.create();
    expect(() => session.promptStreaming([{ role: "nobody" as "user", content: "a" }])).toThrow(TypeError);
    const stream = session.promptStreaming([
      { role: "user", content: "a" },
      { role: "system", content: "b" },
    ]);
    expect(await rejectionOf(chunksOf(stream))).toBeInstanceOf(TypeError);
  });
});

describe("what stops a prompt", () => {
  it.each([undefined, new Error("mine")])(
    "rejects with the signal's reason (%s), running, waiting and later",
    async (why) => {
      const { LanguageModel, script } = scripted();
      script.answer = () => "word ".repeat(200);
      const session = await LanguageModel.create();
      const abort = new AbortController();
      const { signal } = abort;
      const all = [
        session.prompt("a", { signal }),
        session.prompt("b", { signal }),
        session.append("c", { signal }),
        chunksOf(session.promptStreaming("d", { signal })),
      ].map((work) => rejectionOf(work as Promise<unknown>));
      await until(() => script.requests.length === 1);
      abort.abort(why);
      const errors = await Promise.all(all);
      for (const error of errors) expect(error).toBe(signal.reason);
      if (why === undefined) expect(errors[0]).toMatchObject({ name: "AbortError" });
      expect(await rejectionOf(session.prompt("a", { signal }))).toBe(signal.reason);
      expect(await rejectionOf(session.clone({ signal }))).toBe(signal.reason);
      expect(await rejectionOf(session.measureContextUsage("e", { signal }))).toBe(signal.reason);
      expect(() => session.promptStreaming("a", { signal })).toThrow(signal.reason as Error);
      await until(() => script.stopped === 1);
      script.answer = () => "Yes.";
      expect(await session.prompt("again")).toBe("Yes.");
      expect(script.requests.at(-1)?.messages).toEqual([{ role: "user", content: "again" }]);
      expect(script.requests).toHaveLength(2);
    },
  );

  it("is heard of no longer than the prompt takes", async () => {
    const { LanguageModel } = scripted();
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const session = await LanguageModel.create();
    await session.prompt("a", { signal });
    await session.append("b", { signal });
    await session.measureContextUsage("c", { signal });
    (await session.clone({ signal })).destroy();
    expect(added).toHaveBeenCalled();
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
  });

  it("is the end of the session, too", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = () => "word ".repeat(200);
    const session = await LanguageModel.create();
    const all = [session.prompt("a"), session.append("b"), chunksOf(session.promptStreaming("c"))].map(
      (work) => rejectionOf(work as Promise<unknown>),
    );
    await until(() => script.requests.length === 1);
    session.destroy();
    session.destroy();
    for (const error of await Promise.all(all)) expect(error).toMatchObject({ name: "AbortError" });
    await until(() => script.stopped === 1);
    for (const later of [
      session.prompt("a"),
      session.append("b"),
      session.clone(),
      session.measureContextUsage("c"),
    ]) {
      expect(await rejectionOf(later as Promise<unknown>)).toMatchObject({ name: "AbortError" });
    }
    expect(() => session.promptStreaming("a")).toThrow(DOMException);
    expect(session.contextWindow).toBe(88);
  });

  it("is the signal of create, with its reason, as long as the session lives", async () => {
    const { LanguageModel } = scripted();
    const abort = new AbortController();
    const session = await LanguageModel.create({ signal: abort.signal });
    expect(await session.prompt("a")).toBe("Yes.");
    const clone = await session.clone();
    const why = new Error("mine");
    abort.abort(why);
    expect(await rejectionOf(session.prompt("a"))).toBe(why);
    expect(await clone.prompt("b")).toBe("Yes.");
  });
});
