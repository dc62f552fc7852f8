// Who may say what, and how.
import { describe, expect, it } from "vitest";

import { LanguageModelToolCall, LanguageModelToolSuccess } from "../../src/prompt_api/tool_values.js";
import type { LanguageModelMessage } from "../../src/prompt_api/types.js";
import { rejectionOf } from "../support.js";
import { scripted } from "./support.js";

const CALL = new LanguageModelToolCall({ callId: "1", name: "t", arguments: { a: 1 } });
const RESULT = new LanguageModelToolSuccess({
  callId: "1",
  name: "t",
  result: [{ type: "text", value: "x" }],
});

/** A message of one part. */
function part(role: string, type: string, value: unknown): object[] {
  return [{ role, content: [{ type, value }] }];
}

/** What is refused, and how: a name of a `DOMException`, or a `TypeError`. */
const REFUSED: [string, string, unknown][] = [
  ["a role that nobody has", "TypeError", [{ role: "tool", content: "a" }]],
  ["no role", "TypeError", [{ content: "a" }]],
  ["no content", "TypeError", [{ role: "user" }]],
  ["a message that is none", "TypeError", ["a"]],
  ["a type that no part has", "TypeError", part("user", "video", "a")],
  ["no value", "TypeError", [{ role: "user", content: [{ type: "text" }] }]],
  ["a text that is none", "TypeError", part("user", "text", new Uint8Array(1))],
  ["a symbol", "TypeError", Symbol("a")],
  [
    "the system after somebody else",
    "TypeError",
    [
      { role: "user", content: "a" },
      { role: "system", content: "b" },
    ],
  ],
  [
    "the system twice",
    "TypeError",
    [
      { role: "system", content: "a" },
      { role: "system", content: "b" },
    ],
  ],
  ["a prefix of the user's", "SyntaxError", [{ role: "user", content: "a", prefix: true }]],
  [
    "a prefix in the middle",
    "SyntaxError",
    [
      { role: "assistant", content: "a", prefix: true },
      { role: "user", content: "b" },
    ],
  ],
  [
    "a prefix that is a call",
    "NotSupportedError",
    [{ ...part("assistant", "tool-call", CALL)[0], prefix: true }],
  ],
  ["an image that was not expected", "NotSupportedError", part("user", "image", new Uint8Array(1))],
  ["a sound that was not expected", "NotSupportedError", part("user", "audio", new ArrayBuffer(1))],
  ["an image of the assistant's", "NotSupportedError", part("assistant", "image", new Blob([]))],
  ["a call of the user's", "TypeError", part("user", "tool-call", CALL)],
  ["a result of the assistant's", "TypeError", part("assistant", "tool-response", RESULT)],
  ["a result as a call", "TypeError", part("assistant", "tool-call", RESULT)],
  ["a result that is a text", "TypeError", part("user", "tool-response", "a")],
];

describe("messages", () => {
  it.each(REFUSED)("%s: %s", async (_, name, input) => {
    const { LanguageModel, script } = scripted();
    const expectedInputs = [{ type: "tool-call" as const }, { type: "tool-response" as const }];
    const session = await LanguageModel.create({ expectedInputs });
    const given = input as LanguageModelMessage[];
    const reader = async (): Promise<unknown> => session.promptStreaming(given).getReader().read();
    for (const failed of [
      session.prompt(given),
      reader(),
      session.append(given),
      session.measureContextUsage(given),
    ]) {
      const error = await rejectionOf(failed);
      expect(error).toBeInstanceOf(name === "TypeError" ? TypeError : DOMException);
      expect(error).toMatchObject({ name });
    }
    if (Array.isArray(input)) {
      const created = LanguageModel.create({ expectedInputs, initialPrompts: given });
      expect(await rejectionOf(created)).toMatchObject({ name });
    }
    expect([script.requests.length, script.read.length]).toEqual([0, 0]);
    expect(await session.prompt("still here")).toBe("Yes.");
  });

  it("of the system come first, in whatever is said first, and then no more", async () => {
    const { LanguageModel, script } = scripted();
    const system = [{ role: "system", content: "Be kind." }] as const;
    const session = await LanguageModel.create();
    expect(await session.measureContextUsage([...system])).toBe(4);
    await session.append([...system]);
    expect(await rejectionOf(session.append([...system]))).toBeInstanceOf(TypeError);
    expect(await rejectionOf(session.prompt([...system]))).toBeInstanceOf(TypeError);
    const other = await LanguageModel.create();
    await other.prompt([...system, { role: "user", content: "a" }]);
    expect(script.requests[0]?.messages[0]).toEqual(system[0]);
  });

  it("hold their texts together, without anything between", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create();
    await session.append([
      {
        role: "assistant",
        content: ["a", "b", "c"].map((value) => ({ type: "text", value })),
      },
    ]);
    expect(script.read[0]?.messages).toEqual([{ role: "assistant", content: "abc" }]);
  });

  it("are read where they stand when they are given", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create();
    const message = { role: "user" as const, content: "before" };
    const answer = session.prompt([message]);
    message.content = "after";
    await answer;
    expect(script.requests[0]?.messages[0]?.content).toBe("before");
  });

  it("name where they are wrong", async () => {
    const { LanguageModel } = scripted();
    const session = await LanguageModel.create();
    const wrong = [{ role: "user", content: [{ type: "text", value: "a" }, { type: "picture" }] }];
    const error = await rejectionOf(session.prompt(wrong as never));
    expect(error).toMatchObject({
      message:
        'input[0].content[1].type: expected one of "text", "image", "audio", "tool-call", "tool-response", got "picture"',
    });
  });
});
