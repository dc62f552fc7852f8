// What a model thinks before it answers.
import { describe, expect, it } from "vitest";

import { rejectionOf } from "../support.js";
import { chunksOf, scripted } from "./support.js";

describe("thinking", () => {
  it("is not asked for, and stays with the model, unless that is wanted", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = () => ({ content: "Yes.", reasoning: "Hm." });
    const session = await LanguageModel.create();
    expect(await session.prompt("a")).toBe("Yes.");
    expect((await chunksOf(session.promptStreaming("b"))).join("")).toBe("Yes.");
    expect(script.requests.map(({ reasoning_effort }) => reasoning_effort)).toEqual(["none", "none"]);
    // Later answers don't hear of it.
    expect(script.requests[1]?.messages[1]).toEqual({ role: "assistant", content: "Yes." });
  });

  it("is given in front of the answer where thoughts are to be included", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = () => ({ content: "Yes.", reasoning: "Hm." });
    const session = await LanguageModel.create({ thinking: { effort: "low", includeThoughts: true } });
    const parts = [
      { type: "thought", value: "Hm." },
      { type: "text", value: "Yes." },
    ];
    expect(await session.prompt("a")).toEqual(parts);
    const chunks = await chunksOf((await session.clone()).promptStreaming("b"));
    expect(chunks[0]).toEqual(parts[0]);
    expect(
      chunks
        .slice(1)
        .map((chunk) => (chunk as { value: string }).value)
        .join(""),
    ).toBe("Yes.");
    expect(script.requests.map(({ reasoning_effort }) => reasoning_effort)).toEqual(["low", "low"]);
  });

  it("may be another for one prompt", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = () => ({ content: "Yes.", reasoning: "Hm." });
    const session = await LanguageModel.create({ thinking: { effort: "high" } });
    await session.prompt("a");
    expect(await session.prompt("b", { thinking: { includeThoughts: true } })).toHaveLength(2);
    expect(await session.prompt("c", { thinking: { effort: "none" } })).toBe("Yes.");
    expect(script.requests.map(({ reasoning_effort }) => reasoning_effort)).toEqual(["high", "high", "none"]);
  });

  it("goes on while tools are called, and ends with the answer", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = (_, count) =>
      count === 1 ? { reasoning: "Hm.", calls: [{ name: "t", arguments: "{}" }] } : "Yes.";
    const tool = { name: "t", description: "d", inputSchema: { type: "object" }, execute: () => "x" };
    const session = await LanguageModel.create({ tools: [tool] });
    expect(await session.prompt("a")).toBe("Yes.");
    await session.prompt("b");
    const [, during, after] = script.requests.map(({ messages }) => messages[1]);
    expect(during).toHaveProperty("reasoning_content", "Hm.");
    expect(after).toHaveProperty("tool_calls");
    expect(after).not.toHaveProperty("reasoning_content");
  });

  it("is no other word", async () => {
    const { LanguageModel } = scripted();
    const thinking = { effort: "auto" } as never;
    expect(await rejectionOf(LanguageModel.create({ thinking }))).toBeInstanceOf(TypeError);
    const session = await LanguageModel.create();
    expect(await rejectionOf(session.prompt("a", { thinking }))).toBeInstanceOf(TypeError);
  });
});
