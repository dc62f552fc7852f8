// What a session remembers, what that takes, and what goes where there is no room.
import { describe, expect, it } from "vitest";

import type { LanguageModel, LanguageModelCreateOptions } from "../../src/prompt_api/types.js";
import { rejectionOf, until } from "../support.js";
import { gate, scripted, words } from "./support.js";

/** A token for who says it, and one a word; one for the answer that is to come. */
const TOKENS = { said: (count: number) => count + 1, answer: 1 };

/** What a session hears when messages have to go. */
function overflowsOf(session: LanguageModel): string[] {
  const heard: string[] = [];
  session.oncontextoverflow = () => heard.push("oncontextoverflow");
  session.onquotaoverflow = () => heard.push("onquotaoverflow");
  session.addEventListener("contextoverflow", (event) => heard.push(event.type));
  return heard;
}

describe("append", () => {
  it("adds what is not to be answered yet, and has it read", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create();
    await expect(session.append("One")).resolves.toBeUndefined();
    await session.append([
      { role: "user", content: "Two" },
      { role: "assistant", content: "Three" },
    ]);
    expect(script.requests).toHaveLength(0);
    expect(script.read.map(({ messages }) => messages.length)).toEqual([1, 3]);
    await session.prompt("Four");
    expect(script.requests[0]?.messages.map(({ content }) => content)).toEqual([
      "One",
      "Two",
      "Three",
      "Four",
    ]);
  });

  it("takes nothing for nothing, and anything else for a text", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create();
    await session.append([]);
    expect([session.contextUsage, script.read.length]).toEqual([0, 0]);
    await session.append({} as never);
    expect(script.read[0]?.messages).toEqual([{ role: "user", content: "[object Object]" }]);
    expect(session.contextUsage).toBeGreaterThan(0);
  });

  it("leaves nothing behind when it is stopped", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create();
    const reading = gate();
    script.onRead = async () => {
      await reading.opened;
    };
    const abort = new AbortController();
    const appended = rejectionOf(session.append("a", { signal: abort.signal }));
    await until(() => script.read.length === 1);
    abort.abort();
    expect(await appended).toMatchObject({ name: "AbortError" });
    reading.open();
    await session.prompt("b");
    expect(script.requests[0]?.messages).toEqual([{ role: "user", content: "b" }]);
  });
});

describe("usage", () => {
  it("is that of the prompt, then that of prompt and answer", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = () => "Three words here.";
    const session = await LanguageModel.create();
    const usage = await session.measureContextUsage("a b");
    expect(usage).toBe(TOKENS.said(2) + TOKENS.answer);
    expect(await session.measureInputUsage([{ role: "user", content: "a b" }])).toBe(usage);
    expect(session.contextUsage).toBe(0);
    await session.append("a b");
    expect(session.contextUsage).toBe(usage);
    await session.prompt("c");
    expect(session.contextUsage).toBe(usage + TOKENS.said(1) + TOKENS.said(3));
    expect(session.inputUsage).toBe(session.contextUsage);
  });

  it("counts tools, and what the model is told of a constraint unless that is left out", async () => {
    const { LanguageModel } = scripted();
    const tool = { name: "t", description: "d", inputSchema: { type: "object" }, execute: () => "" };
    const session = await LanguageModel.create({ tools: [tool] });
    expect(session.contextUsage).toBe(2);
    await session.append("a");
    expect(session.contextUsage).toBe(2 + TOKENS.said(1) + TOKENS.answer);
    const responseConstraint = { type: "boolean" };
    const plain = await session.measureContextUsage("a");
    expect(await session.measureContextUsage("a", { responseConstraint })).toBeGreaterThan(plain);
    const omitResponseConstraintInput = true;
    const options = { responseConstraint, omitResponseConstraintInput };
    expect(await session.measureContextUsage("a", options)).toBe(plain);
    expect(
      await rejectionOf(session.measureContextUsage("a", { omitResponseConstraintInput })),
    ).toBeInstanceOf(TypeError);
  });

  it("is measured while an answer is made", async () => {
    const { LanguageModel, script } = scripted();
    const first = gate();
    script.answer = async () => {
      await first.opened;
      return "Yes.";
    };
    const session = await LanguageModel.create();
    const answer = session.prompt("a");
    expect(await session.measureContextUsage("b")).toBe(3);
    first.open();
    expect(await answer).toBe("Yes.");
  });
});

describe("where there is no room", () => {
  const system: LanguageModelCreateOptions = {
    initialPrompts: [
      { role: "system", content: "Be kind." },
      { role: "user", content: "first" },
    ],
  };

  it("the oldest exchanges go, as few as need be, and what the session began with stays", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = (_, count) => words(8, `answer${count}-`);
    const session = await LanguageModel.create(system);
    const heard = overflowsOf(session);
    for (const name of ["a", "b", "c"]) await session.prompt(words(10, name));
    expect(heard).toEqual([]);
    expect(session.contextUsage).toBe(5 + 1 + 3 * (TOKENS.said(10) + TOKENS.said(8)));
    await session.prompt(words(30, "d"));
    expect(heard).toEqual(["oncontextoverflow", "contextoverflow", "onquotaoverflow"]);
    const said = script.requests.at(-1)?.messages.map(({ content }) => content?.split(" ")[0]);
    expect(said).toEqual(["Be", "first", "b0", "answer2-0", "c0", "answer3-0", "d0"]);
    await session.append(words(60, "e"));
    expect(heard).toHaveLength(6);
    expect(script.read.at(-1)?.messages.map(({ content }) => content?.split(" ")[0])).toEqual([
      "Be",
      "first",
      "e0",
    ]);
  });

  it("one handler hears of it, until there is none", async () => {
    const { LanguageModel } = scripted();
    const session = await LanguageModel.create();
    const heard: string[] = [];
    session.oncontextoverflow = () => heard.push("first");
    session.oncontextoverflow = () => heard.push("second");
    await session.append(words(50));
    await session.append(words(50));
    expect(heard).toEqual(["second"]);
    session.oncontextoverflow = 5 as never;
    expect(session.oncontextoverflow).toBeNull();
    await session.append(words(50));
    expect(heard).toHaveLength(1);
  });

  it("a prompt that can never fit is rejected, and nothing goes", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create(system);
    const heard = overflowsOf(session);
    await session.prompt("a");
    const { contextUsage, contextWindow } = session;
    const expected = { name: "QuotaExceededError", requested: 5 + TOKENS.said(90) + 1, quota: contextWindow };
    const error = await rejectionOf(session.prompt(words(90)));
    expect(error).toBeInstanceOf(DOMException);
    expect(error).toMatchObject(expected);
    expect(await rejectionOf(session.append(words(90)))).toMatchObject(expected);
    expect([heard.length, session.contextUsage, script.requests.length]).toEqual([0, contextUsage, 1]);
    await session.prompt("b");
    expect(script.requests.at(-1)?.messages).toHaveLength(5);
  });

  it("what went does not come back when the prompt fails that it went for", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create();
    for (const name of ["a", "b", "c"]) await session.append(words(20, name));
    script.answer = () => "word ".repeat(200);
    const abort = new AbortController();
    const heard = overflowsOf(session);
    const failed = rejectionOf(session.prompt(words(30, "d"), { signal: abort.signal }));
    await until(() => script.requests.length === 1);
    abort.abort();
    await failed;
    expect(heard).toHaveLength(3);
    expect(session.contextUsage).toBe(2 * TOKENS.said(20) + 1);
    script.answer = () => "Yes.";
    await session.prompt("e");
    expect(script.requests.at(-1)?.messages.map(({ content }) => content?.split(" ")[0])).toEqual([
      "b0",
      "c0",
      "e",
    ]);
  });
});

describe("clone", () => {
  it("goes on from here, apart from the one that it is of", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create({ samplingMode: "creative" });
    await session.append("a");
    const clone = await session.clone();
    expect(clone).toBeInstanceOf(LanguageModel);
    expect(clone).not.toBe(session);
    const alike = ["contextUsage", "contextWindow", "samplingMode", "topK", "temperature"] as const;
    for (const name of alike) expect(clone[name]).toBe(session[name]);
    await Promise.all([session.prompt("b"), clone.prompt("c")]);
    expect(script.requests.map(({ messages }) => messages.map(({ content }) => content))).toEqual([
      ["a", "b"],
      ["a", "c"],
    ]);
    session.destroy();
    expect(await clone.prompt("d")).toBe("Yes.");
  });

  it("is of what was said, and does not wait for what is being answered", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create();
    const first = gate();
    script.answer = async () => {
      await first.opened;
      return "Yes.";
    };
    const answer = session.prompt("a");
    await until(() => script.requests.length === 1);
    const clone = await session.clone();
    expect(clone.contextUsage).toBe(0);
    first.open();
    await answer;
    await clone.prompt("b");
    expect(script.requests.at(-1)?.messages).toHaveLength(1);
  });

  it("can be stopped, by its own signal and by the end of the session", async () => {
    const { LanguageModel } = scripted();
    const session = await LanguageModel.create();
    const abort = new AbortController();
    const mine = new Error("mine");
    const stopped = rejectionOf(session.clone({ signal: abort.signal }));
    abort.abort(mine);
    expect(await stopped).toBe(mine);
    const ended = rejectionOf(session.clone());
    session.destroy();
    expect(await ended).toMatchObject({ name: "AbortError" });
    expect(await rejectionOf(session.clone(5 as never))).toBeInstanceOf(TypeError);
  });
});

describe("templates", () => {
  it.each(["invalid_request", "unsupported_model"])(
    "that know no system (%s) hear its words from the user",
    async (code) => {
      const { LanguageModel, script } = scripted();
      script.refusal = code;
      script.refuses = ({ messages }) => messages.some(({ role }) => role === "system");
      const session = await LanguageModel.create({
        initialPrompts: [{ role: "system", content: "Be kind." }],
      });
      await session.prompt("a");
      expect(script.requests[0]?.messages).toEqual([{ role: "user", content: "Be kind.\n\na" }]);
    },
  );

  it("that want turns hear what follows each other as one", async () => {
    const { LanguageModel, script } = scripted();
    script.refuses = ({ messages }) =>
      messages.some(({ role }, ix) => ix > 0 && messages[ix - 1]?.role === role);
    const session = await LanguageModel.create();
    await session.append("a");
    await session.prompt([
      { role: "user", content: "b" },
      { role: "assistant", content: "c" },
      { role: "assistant", content: "d" },
      { role: "user", content: "e" },
    ]);
    expect(script.requests[0]?.messages.map(({ content }) => content)).toEqual(["a\n\nb", "c\n\nd", "e"]);
  });
});
