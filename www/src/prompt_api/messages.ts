// What callers say, checked as the draft has it, and put into the words of the wire.

import type { ChatCompletionMessageParam, ChatCompletionMessageToolCall } from "../types/openai.js";
import { domException } from "./errors.js";
import { isPlatformObject } from "./platform.js";
import { resultText } from "./tool_result.js";
import { LanguageModelToolCall, LanguageModelToolError, LanguageModelToolSuccess } from "./tool_values.js";
import type { LanguageModelMessageRole, LanguageModelMessageType } from "./types.js";
import { dictionary, domString, enumeration, isIterable, required, sequence, shown } from "./webidl.js";

/** A part of a message, before it is looked at. */
interface Part {
  type: LanguageModelMessageType;
  value: unknown;
}

/** A message as Web IDL reads it. */
export interface GivenMessage {
  role: LanguageModelMessageRole;
  content: Part[];
  prefix: boolean;
}

/** A prompt that may be sent. */
export interface Said {
  messages: ChatCompletionMessageParam[];
  /** How the answer begins. */
  prefix: string;
}

/** Reads a prompt: messages, or anything else as what the user says. */
export function readPrompt(value: unknown): GivenMessage[] {
  return isIterable(value) ? readMessages(value, "input") : [userSays(domString(value, "input"))];
}

/** Reads messages. */
export function readMessages(value: unknown, what: string): GivenMessage[] {
  return sequence(value, what).map((item, ix) => {
    const at = `${what}[${ix}]`;
    const members = dictionary(item, at);
    const content = required(members, "content", at);
    return {
      role: enumeration(required(members, "role", at), ROLES, `${at}.role`),
      content: isIterable(content)
        ? sequence(content, `${at}.content`).map((part, ix) => readPart(part, `${at}.content[${ix}]`))
        : [text(domString(content, `${at}.content`))],
      prefix: Boolean(members["prefix"]),
    };
  });
}

/**
 * Checks what was read, of which the parts must be of types that are `expected`; `isFirst` where nothing was said before.
 * Texts that follow each other in a message are put together. No message is as good as an empty one of the user.
 */
export function canonical(
  read: readonly GivenMessage[],
  expected: ReadonlySet<LanguageModelMessageType>,
  isFirst: boolean,
): Said {
  const given = read.length > 0 ? read : [userSays("")];
  const last = given.at(-1);
  const said: Said = { messages: [], prefix: "" };
  for (const [ix, message] of given.entries()) {
    const { role, content, prefix } = message;
    if (prefix && (role !== "assistant" || message !== last)) {
      throw domException(
        "SyntaxError",
        `messages[${ix}].prefix: only the assistant's message at the end has it`,
      );
    }
    if (role === "system" && !(isFirst && ix === 0)) {
      throw new TypeError(`messages[${ix}].role: what the system says comes before all else, once`);
    }
    for (const [at, part] of content.entries()) check(part, role, expected, `messages[${ix}].content[${at}]`);
    const wire = wireMessages(role, content);
    if (prefix && wire.some((one) => "tool_calls" in one)) {
      throw domException("NotSupportedError", `messages[${ix}]: an answer can't go on from a call of a tool`);
    }
    if (prefix) said.prefix = joined(content);
    else said.messages.push(...wire);
  }
  return said;
}

function readPart(value: unknown, what: string): Part {
  const members = dictionary(value, what);
  const type = enumeration(required(members, "type", what), TYPES, `${what}.type`);
  const given = required(members, "value", what);
  return { type, value: isPlatformObject(given) ? given : domString(given, `${what}.value`) };
}

function check(
  { type, value }: Part,
  role: LanguageModelMessageRole,
  expected: ReadonlySet<LanguageModelMessageType>,
  what: string,
): void {
  if (type === "text") {
    if (typeof value === "string") return;
    throw new TypeError(`${what}.value: expected a string, for its type is "text"`);
  }
  const owner = OWNERS[type];
  if (owner !== undefined && role !== owner.role) {
    throw new TypeError(`${what}.type: "${type}" is said by the role "${owner.role}", not "${role}"`);
  }
  if (owner === undefined && role === "assistant") {
    throw domException("NotSupportedError", `${what}.type: the assistant says texts alone, not "${type}"`);
  }
  if (!expected.has(type)) {
    throw domException(
      "NotSupportedError",
      `${what}.type: "${type}" is not among the types that expectedInputs had when the session was created`,
    );
  }
  if (owner !== undefined && !owner.classes.some((one) => value instanceof one)) {
    const names = owner.classes.map((one) => one.name).join(" or ");
    throw new TypeError(`${what}.value: expected a ${names}, got ${shown(value)}`);
  }
}

/** What one message is on the wire, where tools have a role of their own. */
function wireMessages(
  role: LanguageModelMessageRole,
  content: readonly Part[],
): ChatCompletionMessageParam[] {
  const said = joined(content);
  if (role === "system") return [{ role, content: said }];
  if (role === "assistant") {
    const calls = content.flatMap(({ value }) =>
      value instanceof LanguageModelToolCall ? [wireCall(value)] : [],
    );
    if (calls.length === 0) return [{ role, content: said }];
    return [{ role, content: said === "" ? null : said, tool_calls: calls }];
  }
  const results = content.flatMap(({ value }): ChatCompletionMessageParam[] =>
    value instanceof LanguageModelToolSuccess || value instanceof LanguageModelToolError
      ? [{ role: "tool", tool_call_id: value.callId, content: resultText(value) }]
      : [],
  );
  const saysNothing = results.length > 0 && !content.some(({ type }) => type === "text");
  return saysNothing ? results : [...results, { role, content: said }];
}

function wireCall(call: LanguageModelToolCall): ChatCompletionMessageToolCall {
  const { callId, name, arguments: given } = call;
  let json: string | undefined;
  try {
    if (!Array.isArray(given)) json = JSON.stringify(given);
  } catch (cause) {
    throw domException("DataError", `the arguments of the call ${callId} can't be written as JSON`, cause);
  }
  if (json?.startsWith("{") !== true) {
    throw domException("DataError", `the arguments of the call ${callId}: expected an object of plain data`);
  }
  return { id: callId, type: "function", function: { name, arguments: json } };
}

function joined(content: readonly Part[]): string {
  return content.map(({ type, value }) => (type === "text" ? (value as string) : "")).join("");
}

function userSays(said: string): GivenMessage {
  return { role: "user", content: [text(said)], prefix: false };
}

function text(value: string): Part {
  return { type: "text", value };
}

const ROLES: readonly LanguageModelMessageRole[] = ["system", "user", "assistant"];

/** All that there are. */
export const TYPES: readonly LanguageModelMessageType[] = [
  "text",
  "image",
  "audio",
  "tool-call",
  "tool-response",
];

/** Who may say what has to do with tools, and as what. */
const OWNERS: Partial<
  Record<
    LanguageModelMessageType,
    { role: LanguageModelMessageRole; classes: readonly (abstract new (...given: never[]) => object)[] }
  >
> = {
  "tool-call": { role: "assistant", classes: [LanguageModelToolCall] },
  "tool-response": { role: "user", classes: [LanguageModelToolSuccess, LanguageModelToolError] },
};
