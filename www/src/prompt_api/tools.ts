// Tools that a session offers, and carries out if they can be.

import type { ChatCompletionMessageToolCall, ChatCompletionTool } from "../types/openai.js";
import type { Expected } from "./expected.js";
import { domException } from "./errors.js";
import { errorText } from "./tool_result.js";
import { LanguageModelToolCall } from "./tool_values.js";
import { dictionary, domString, required, sequence, shown, unrestrictedDouble } from "./webidl.js";

type Execute = (given: unknown) => unknown;

/** The tools of a session. */
export class Tools {
  /** As the wire has them; `undefined` where there are none. */
  readonly declared: ChatCompletionTool[] | undefined;
  /** Whether the session carries calls out, and not the page. */
  readonly isClosedLoop: boolean;
  readonly #execute: ReadonlyMap<string, Execute>;
  readonly #maxCalls: number;

  constructor(
    declared: ChatCompletionTool[],
    execute: ReadonlyMap<string, Execute>,
    maxCalls: number | null,
  ) {
    this.declared = declared.length > 0 ? declared : undefined;
    this.isClosedLoop = maxCalls !== null;
    this.#execute = execute;
    this.#maxCalls = maxCalls ?? 0;
  }

  /**
   * What the tools say to calls, in their order; they work side by side. `before` is how many calls the same prompt made
   * already. What a tool throws rejects, as it is.
   */
  async answers(calls: readonly ChatCompletionMessageToolCall[], before: number): Promise<string[]> {
    if (before + calls.length > this.#maxCalls) {
      const message = `the model calls more tools for one prompt than toolUseConfig.maxToolCalls has: ${before + calls.length}, and at most ${this.#maxCalls}`;
      throw domException("OperationError", message);
    }
    return Promise.all(calls.map((call) => this.#answer(call)));
  }

  async #answer({ function: { name, arguments: json } }: ChatCompletionMessageToolCall): Promise<string> {
    const execute = this.#execute.get(name);
    if (execute === undefined) return errorText(`there is no tool ${name}`);
    const given = argumentsOf(json);
    // The model's own fault, which it is told.
    if (given === null) return errorText("the arguments are no JSON object");
    return domString(await execute(given), `the result of the tool ${name}`);
  }
}

/** A call as a page gets it that carries it out. */
export function callOf({
  id,
  function: { name, arguments: json },
}: ChatCompletionMessageToolCall): LanguageModelToolCall {
  return new LanguageModelToolCall({ callId: id, name, arguments: argumentsOf(json) ?? {} });
}

/** Reads `tools` and `toolUseConfig`. `outputs` are what is expected of the session. */
export function readTools(options: Readonly<Record<string, unknown>>, outputs: Expected): Tools {
  const items = options["tools"] === undefined ? [] : sequence(options["tools"], "tools");
  const declared: ChatCompletionTool[] = [];
  const execute = new Map<string, Execute>();
  for (const [ix, item] of items.entries()) {
    const what = `tools[${ix}]`;
    const members = dictionary(item, what);
    const tool = readTool(members, what);
    if (declared.some((one) => one.function.name === tool.function.name)) {
      throw new TypeError(`${what}.name: there is another tool of this name`);
    }
    declared.push(tool);
    const run = members["execute"];
    if (run === undefined) continue;
    if (typeof run !== "function")
      throw new TypeError(`${what}.execute: expected a function, got ${shown(run)}`);
    execute.set(tool.function.name, run as Execute);
  }
  return new Tools(declared, execute, maxCallsOf(options["toolUseConfig"], declared, execute, outputs));
}

function readTool(members: Readonly<Record<string, unknown>>, what: string): ChatCompletionTool {
  const name = domString(required(members, "name", what), `${what}.name`);
  if (!/^[0-9A-Za-z_-]{1,64}$/.test(name)) {
    throw new TypeError(`${what}.name: expected 1 to 64 letters, digits, "_" and "-", got ${shown(name)}`);
  }
  const description = domString(required(members, "description", what), `${what}.description`);
  if (description === "") throw new TypeError(`${what}.description: expected some words, got none`);
  return {
    type: "function",
    function: { name, description, parameters: readSchema(required(members, "inputSchema", what), what) },
  };
}

/** A copy of a schema, which must be one of an object. */
function readSchema(value: unknown, what: string): Record<string, unknown> {
  const at = `${what}.inputSchema`;
  if (typeof value !== "object" || value === null) {
    throw new TypeError(`${at}: expected a JSON schema, got ${shown(value)}`);
  }
  // Whatever it throws, a circle for example, is the caller's to hear.
  const schema = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
  const { type, properties, required: names } = schema;
  if (type !== "object") throw new TypeError(`${at}.type: expected "object", got ${shown(type)}`);
  if (properties !== undefined && (typeof properties !== "object" || properties === null)) {
    throw new TypeError(`${at}.properties: expected an object, got ${shown(properties)}`);
  }
  if (names !== undefined && !Array.isArray(names)) {
    throw new TypeError(`${at}.required: expected an array, got ${shown(names)}`);
  }
  return schema;
}

/** Most calls of a prompt that are carried out by the session; `null` where the page does that. */
function maxCallsOf(
  config: unknown,
  declared: readonly ChatCompletionTool[],
  execute: ReadonlyMap<string, Execute>,
  outputs: Expected,
): number | null {
  const { enabled, maxToolCalls } = dictionary(config, "toolUseConfig");
  let most = Infinity;
  if (maxToolCalls !== undefined) most = unrestrictedDouble(maxToolCalls, "toolUseConfig.maxToolCalls");
  if (!(most >= 1)) throw new RangeError(`toolUseConfig.maxToolCalls: expected 1 or more, got ${most}`);
  const isClosedLoop = enabled === undefined ? execute.size > 0 : Boolean(enabled);
  if (isClosedLoop && execute.size < declared.length) {
    const ix = declared.findIndex((tool) => !execute.has(tool.function.name));
    throw new TypeError(`tools[${ix}].execute: missing; either all tools have it or none`);
  }
  if (!isClosedLoop && declared.length > 0 && !outputs.types.has("tool-call")) {
    throw new TypeError(
      'tools: without execute their calls are for the page, and expectedOutputs must have { type: "tool-call" }',
    );
  }
  return isClosedLoop || declared.length === 0 ? most : null;
}

function argumentsOf(json: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(json) as unknown;
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
