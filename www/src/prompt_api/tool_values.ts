// What a model asks of tools that the page carries out by itself, and what the page answers, as the draft's explainer has it.

import { dictionary, domString, enumeration, required, sequence } from "./webidl.js";

/** A call of a tool. */
export interface LanguageModelToolCallInit {
  /** By which the response is told from others. */
  callId: string;
  name: string;
  /** Plain data; none where absent. */
  arguments?: Record<string, unknown>;
}

/** A part of what a tool says. */
export interface LanguageModelToolResultContent {
  /** A text, or plain data. */
  type: "text" | "object" | "image" | "audio";
  value: unknown;
}

/** What a tool says. */
export interface LanguageModelToolSuccessInit {
  callId: string;
  name: string;
  result: LanguageModelToolResultContent[];
}

/** Why a tool failed. */
export interface LanguageModelToolErrorInit {
  callId: string;
  name: string;
  errorMessage: string;
}

/** What all three begin with. */
class ToolValue {
  readonly callId: string;
  readonly name: string;

  constructor(init: unknown, what: string) {
    const members = dictionary(init, what);
    // Chrome's first implementation has a capital letter more.
    const callId = members["callId"] ?? members["callID"];
    this.callId = domString(required({ callId }, "callId", what), `${what}.callId`);
    this.name = domString(required(members, "name", what), `${what}.name`);
  }

  /** The same in Chrome's first implementation. */
  get callID(): string {
    return this.callId;
  }
}

/**
 * A call of a tool that the model makes, or made.
 *
 * @example
 * new LanguageModelToolCall({ callId: "1", name: "get_weather", arguments: { city: "Lima" } })
 */
export class LanguageModelToolCall extends ToolValue {
  readonly arguments: Record<string, unknown>;

  constructor(init: LanguageModelToolCallInit) {
    super(init, "LanguageModelToolCall");
    this.arguments = (dictionary(init, "")["arguments"] ?? {}) as Record<string, unknown>;
  }
}

/**
 * What a tool says to a call.
 *
 * @example
 * new LanguageModelToolSuccess({ callId: call.callId, name: call.name, result: [{ type: "object", value: { degrees: 12 } }] })
 */
export class LanguageModelToolSuccess extends ToolValue {
  readonly result: readonly LanguageModelToolResultContent[];

  constructor(init: LanguageModelToolSuccessInit) {
    super(init, "LanguageModelToolSuccess");
    const what = "LanguageModelToolSuccess.result";
    const items = sequence(required(dictionary(init, ""), "result", "LanguageModelToolSuccess"), what);
    this.result = Object.freeze(
      items.map((item, ix) => {
        const at = `${what}[${ix}]`;
        const members = dictionary(item, at);
        return {
          type: enumeration(required(members, "type", at), RESULT_TYPES, `${at}.type`),
          value: required(members, "value", at),
        };
      }),
    );
  }
}

/**
 * Why a call came to nothing.
 *
 * @example
 * new LanguageModelToolError({ callId: call.callId, name: call.name, errorMessage: "there is no such city" })
 */
export class LanguageModelToolError extends ToolValue {
  readonly errorMessage: string;

  constructor(init: LanguageModelToolErrorInit) {
    super(init, "LanguageModelToolError");
    const message = required(dictionary(init, ""), "errorMessage", "LanguageModelToolError");
    this.errorMessage = domString(message, "LanguageModelToolError.errorMessage");
  }
}

const RESULT_TYPES = ["text", "object", "image", "audio"] as const;
