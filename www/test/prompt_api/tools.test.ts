// Tools: those that the session calls, and those that the page does.
import { describe, expect, it } from "vitest";

import {
  LanguageModelToolCall,
  LanguageModelToolError,
  LanguageModelToolSuccess,
} from "../../src/prompt_api/tool_values.js";
import type {
  LanguageModelMessageContent,
  LanguageModelOpenLoopCreateOptions,
  LanguageModelTool,
} from "../../src/prompt_api/types.js";
import type { ScriptedAnswer, ScriptedRequest } from "../fake/scripted.js";
import { rejectionOf, until } from "../support.js";
import { chunksOf, gate, scripted } from "./support.js";

const SCHEMA = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

/** A tool that knows the weather. */
function weather(execute: (given: { city: string }) => Promise<string> | string): LanguageModelTool {
  return { name: "get_weather", description: "The weather.", inputSchema: SCHEMA, execute };
}

/** Calls for these cities, and then an answer of what was said to them. */
function asking(...cities: string[]): (request: ScriptedRequest) => ScriptedAnswer {
  return askingSo(cities, false);
}

function askingSo(cities: string[], inPieces: boolean): (request: ScriptedRequest) => ScriptedAnswer {
  return ({ messages }) => {
    const results = messages.filter(({ role }) => role === "tool").map(({ content }) => content);
    if (results.length > 0) return `It is ${results.join(" and ")}.`;
    const calls = cities.map((city) => ({ name: "get_weather", arguments: JSON.stringify({ city }) }));
    return { content: "Let me see. ", calls, inPieces };
  };
}

/** What the page is told of a tool that it calls itself. */
const OPEN: LanguageModelOpenLoopCreateOptions = {
  expectedInputs: [{ type: "tool-response" }],
  expectedOutputs: [{ type: "tool-call" }],
  tools: [{ name: "get_weather", description: "The weather.", inputSchema: SCHEMA }],
};

describe("tools with execute", () => {
  it("are called side by side, and the model answers by what they say", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = asking("Lima", "Oslo");
    const bothRun = gate();
    const given: unknown[] = [];
    const execute = async (one: { city: string }): Promise<string> => {
      given.push(one);
      if (given.length === 2) bothRun.open();
      await bothRun.opened;
      return one.city === "Lima" ? "warm" : "cold";
    };
    const session = await LanguageModel.create({ tools: [weather(execute)] });
    const chunks: string[] = await chunksOf(session.promptStreaming("Where is it warm?"));
    expect(chunks.join("")).toBe("Let me see. It is warm and cold.");
    expect(given).toEqual([{ city: "Lima" }, { city: "Oslo" }]);
    expect(script.requests[0]?.tools?.[0]).toEqual({
      type: "function",
      function: { name: "get_weather", description: "The weather.", parameters: SCHEMA },
    });
    expect(script.requests[1]?.messages.map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "tool",
      "tool",
    ]);
    await session.prompt("And then?");
    expect(script.requests[2]?.messages).toHaveLength(6);
  });

  it("reject with what they throw, and nothing of it is remembered", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = asking("Lima");
    const mine = new Error("mine");
    const session = await LanguageModel.create({ tools: [weather(() => Promise.reject(mine))] });
    expect(await rejectionOf(session.prompt("a"))).toBe(mine);
    expect(await rejectionOf(chunksOf(session.promptStreaming("a")))).toBe(mine);
    script.answer = () => "Yes.";
    expect(await session.prompt("b")).toBe("Yes.");
    expect(script.requests.at(-1)?.messages).toHaveLength(1);
  });

  it("are told nothing more once the prompt was stopped", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = asking("Lima");
    const running = gate();
    let calls = 0;
    const execute = async (): Promise<string> => {
      calls++;
      await running.opened;
      return "warm";
    };
    const session = await LanguageModel.create({ tools: [weather(execute)] });
    const abort = new AbortController();
    const stopped = rejectionOf(session.prompt("a", { signal: abort.signal }));
    await until(() => calls === 1);
    abort.abort();
    expect(await stopped).toMatchObject({ name: "AbortError" });
    running.open();
    script.answer = () => "Yes.";
    expect(await session.prompt("b")).toBe("Yes.");
    expect(script.requests).toHaveLength(2);
  });

  it("are called with arguments that came in pieces", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = askingSo(["Lima", "Oslo"], true);
    const given: unknown[] = [];
    const execute = (one: { city: string }): string => `${given.push(one)}`;
    const session = await LanguageModel.create({ tools: [weather(execute)] });
    expect(await session.prompt("Where is it warm?")).toBe("Let me see. It is 1 and 2.");
    expect(given).toEqual([{ city: "Lima" }, { city: "Oslo" }]);
    const said = script.requests[1]?.messages.find(({ role }) => role === "assistant");
    expect(said).toMatchObject({
      tool_calls: ["Lima", "Oslo"].map((city) => ({
        function: { name: "get_weather", arguments: JSON.stringify({ city }) },
      })),
    });
  });

  it("hear of what the model calls wrongly", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = (_, count) =>
      count > 1
        ? "Sorry."
        : {
            calls: [
              { name: "get_time", arguments: "{}" },
              { name: "get_weather", arguments: "[1]" },
            ],
          };
    const session = await LanguageModel.create({ tools: [weather(() => "warm")] });
    expect(await session.prompt("a")).toBe("Sorry.");
    expect(script.requests[1]?.messages.slice(2).map(({ content }) => content)).toEqual([
      '{"error":"there is no tool get_time"}',
      '{"error":"the arguments are no JSON object"}',
    ]);
  });

  it("are called no more often than is allowed", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = () => ({ calls: [{ name: "get_weather", arguments: '{"city":"Lima"}' }] });
    let calls = 0;
    const tools = [weather(() => `${calls++}`)];
    const session = await LanguageModel.create({ tools, toolUseConfig: { enabled: true, maxToolCalls: 3 } });
    expect(await rejectionOf(session.prompt("a"))).toMatchObject({ name: "OperationError" });
    expect(calls).toBe(3);
  });

  it("hold the answer that comes at last to the constraint", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = ({ messages }) =>
      messages.length > 1 ? "warm" : { calls: [{ name: "get_weather", arguments: '{"city":"Lima"}' }] };
    const session = await LanguageModel.create({ tools: [weather(() => "warm")] });
    const prefixed = [
      { role: "user", content: "a" },
      { role: "assistant", content: "It is ", prefix: true },
    ] as const;
    expect(await session.prompt([...prefixed], { responseConstraint: /warm|cold/ })).toBe("warm");
    expect(script.requests.map(({ puna }) => puna?.regex)).toEqual([
      "It is (?:(?:warm|cold))",
      "(?:warm|cold)",
    ]);
  });
});

describe("tools without execute", () => {
  it("are called by the page, which says what came of it", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = asking("Lima", "Oslo");
    const session = await LanguageModel.create(OPEN);
    const result = (await session.prompt("a")) as LanguageModelMessageContent[];
    expect(result).toEqual([
      { type: "text", value: "Let me see. " },
      { type: "tool-call", value: { callId: "call00000", name: "get_weather", arguments: { city: "Lima" } } },
      { type: "tool-call", value: { callId: "call00001", name: "get_weather", arguments: { city: "Oslo" } } },
    ]);
    const calls = result.slice(1).map(({ value }) => value as LanguageModelToolCall);
    expect(calls.every((call) => call instanceof LanguageModelToolCall)).toBe(true);
    expect(calls[0]?.callID).toBe("call00000");
    const [lima, oslo] = calls.map(({ callId, name }) => ({ callId, name }));
    if (lima === undefined || oslo === undefined) throw new Error("two calls");
    const answer = await session.prompt([
      {
        role: "user",
        content: [
          {
            type: "tool-response",
            value: new LanguageModelToolSuccess({
              ...lima,
              result: [
                { type: "object", value: { degrees: 20 } },
                { type: "text", value: "warm" },
              ],
            }),
          },
          {
            type: "tool-response",
            value: new LanguageModelToolError({
              ...oslo,
              errorMessage: "unknown",
            }),
          },
        ],
      },
    ]);
    expect(answer).toBe('It is {"degrees":20}\nwarm and {"error":"unknown"}.');
    expect(script.requests[1]?.messages.slice(2)).toEqual([
      { role: "tool", tool_call_id: "call00000", content: '{"degrees":20}\nwarm' },
      { role: "tool", tool_call_id: "call00001", content: '{"error":"unknown"}' },
    ]);
  });

  it("come as parts of the stream, behind its texts", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = asking("Lima");
    const session = await LanguageModel.create(OPEN);
    const chunks = await chunksOf(session.promptStreaming("a"));
    expect((chunks.slice(0, -1) as string[]).join("")).toBe("Let me see. ");
    expect(chunks.at(-1)).toMatchObject({ type: "tool-call", value: { name: "get_weather" } });
    script.answer = () => "Yes.";
    expect(await session.prompt("b")).toBe("Yes.");
  });

  it("can be examples", async () => {
    const { LanguageModel, script } = scripted();
    const call = new LanguageModelToolCall({ callId: "x", name: "get_weather", arguments: { city: "Rome" } });
    const session = await LanguageModel.create({
      ...OPEN,
      expectedInputs: [{ type: "tool-call" }, { type: "tool-response" }],
    });
    await session.append([
      { role: "user", content: "Rome?" },
      { role: "assistant", content: [{ type: "tool-call", value: call }] },
    ]);
    expect(script.read[0]?.messages[1]).toEqual({
      role: "assistant",
      content: null,
      tool_calls: [
        { id: "x", type: "function", function: { name: "get_weather", arguments: '{"city":"Rome"}' } },
      ],
    });
    const circle: Record<string, unknown> = {};
    circle["circle"] = circle;
    for (const given of [circle, [1]] as Record<string, unknown>[]) {
      const value = new LanguageModelToolCall({ callId: "y", name: "get_weather", arguments: given });
      const said = session.append([{ role: "assistant", content: [{ type: "tool-call", value }] }]);
      expect(await rejectionOf(said)).toMatchObject({ name: "DataError" });
    }
  });

  it("say plain data and texts, and no more", async () => {
    const { LanguageModel } = scripted();
    const session = await LanguageModel.create(OPEN);
    for (const [type, value, name] of [
      ["image", new Blob([]), "NotSupportedError"],
      ["object", new Map(), "DataError"],
      ["object", () => 1, "DataError"],
    ] as const) {
      const said = new LanguageModelToolSuccess({ callId: "x", name: "y", result: [{ type, value }] });
      const content = [{ type: "tool-response" as const, value: said }];
      expect(await rejectionOf(session.prompt([{ role: "user", content }]))).toMatchObject({ name });
    }
    const wrong = [
      null,
      {},
      { callId: "x" },
      { callId: "x", name: "y" },
      { callId: "x", name: "y", result: [{}] },
    ];
    for (const init of wrong) {
      expect(() => new LanguageModelToolSuccess(init as never)).toThrow(TypeError);
      expect(() => new LanguageModelToolError(init as never)).toThrow(TypeError);
    }
  });
});

describe("declarations of tools", () => {
  it.each([
    ["no name", { name: undefined }],
    ["a name with a space", { name: "get weather" }],
    ["no description", { description: "" }],
    ["a schema that is none", { inputSchema: "object" }],
    ["a schema of a list", { inputSchema: { type: "array" } }],
    ["a list of names that is none", { inputSchema: { type: "object", required: "city" } }],
    ["something to call that can't be", { execute: 5 }],
    ["nothing to call, and no call expected", { execute: undefined }],
  ])("with %s are refused", async (_, change) => {
    const { LanguageModel, script } = scripted();
    const tool = { ...weather(() => ""), ...change } as LanguageModelTool;
    expect(await rejectionOf(LanguageModel.create({ tools: [tool] }))).toBeInstanceOf(TypeError);
    expect(script.workers).toHaveLength(0);
  });

  it("that are alike are refused, and so are some with execute among others", async () => {
    const { LanguageModel } = scripted();
    const tool = weather(() => "");
    expect(await rejectionOf(LanguageModel.create({ tools: [tool, tool] }))).toBeInstanceOf(TypeError);
    const other = { ...tool, name: "other", execute: undefined } as unknown as LanguageModelTool;
    expect(await rejectionOf(LanguageModel.create({ tools: [tool, other] }))).toBeInstanceOf(TypeError);
    for (const maxToolCalls of [0, NaN]) {
      const options = { tools: [tool], toolUseConfig: { maxToolCalls } };
      expect(await rejectionOf(LanguageModel.create(options))).toBeInstanceOf(RangeError);
    }
  });

  it("are refused by a model that knows none", async () => {
    const { LanguageModel, script } = scripted();
    script.refuses = ({ tools }) => tools !== undefined;
    expect(await rejectionOf(LanguageModel.create({ tools: [weather(() => "")] }))).toMatchObject({
      name: "NotSupportedError",
    });
  });
});
