// What an answer is held to (`responseConstraint`), and how an answer that has begun already goes on.

import type { ChatCompletionCreateParamsBase, Extensions } from "../types/openai.js";
import { domException } from "./errors.js";
import { engineRegex, escaped } from "./regexp.js";
import { shown } from "./webidl.js";

/** What a request says of it. */
export type Held = Pick<ChatCompletionCreateParamsBase, "response_format"> & { puna?: Extensions };

/** What an answer has to be. */
export interface Constraint {
  /** In words, for the model. */
  readonly instruction: string;
  /** The request's fields for an answer that goes on from `prefix`, which may be empty: what follows is what is held. */
  held(prefix: string): Held;
  /** Whether an answer, without what it goes on from, is what it has to be. */
  isMet(answer: string): boolean;
}

/** Reads a constraint: a `RegExp`, or a JSON schema. */
export function readConstraint(value: unknown): Constraint | null {
  if (value === undefined) return null;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`responseConstraint: expected a JSON schema or a RegExp, got ${shown(value)}`);
  }
  return value instanceof RegExp ? matching(value) : ofSchema(value);
}

/** The request's fields for an answer that is held to nothing but its beginning. */
export function begunWith(prefix: string): Held {
  return prefix === "" ? {} : { puna: { regex: `${escaped(prefix)}(?s:.*)` } };
}

function matching(regexp: RegExp): Constraint {
  const regex = engineRegex(regexp);
  // Without the flags that make it remember where it was.
  const test = new RegExp(regexp.source, regexp.flags.replace(/[gyd]/g, ""));
  return {
    instruction: `Answer with a text that matches this regular expression as a whole: ${String(test)}`,
    held: (prefix) => ({ puna: { regex: prefix === "" ? regex : `${escaped(prefix)}(?:${regex})` } }),
    isMet: (answer) => test.test(answer),
  };
}

function ofSchema(value: object): Constraint {
  let json: string;
  try {
    // A `toJSON` may give anything, nothing included.
    json = JSON.stringify({ value });
  } catch (cause) {
    throw domException("NotSupportedError", "responseConstraint: the schema can't be written as JSON", cause);
  }
  const { value: schema } = JSON.parse(json) as { value?: unknown };
  if (!isSchema(schema)) {
    throw new TypeError(`responseConstraint: expected a JSON schema or a RegExp, got ${shown(schema)}`);
  }
  return {
    instruction: `Answer with JSON of this schema: ${JSON.stringify(schema)}`,
    held(prefix) {
      if (prefix === "") {
        return { response_format: { type: "json_schema", json_schema: { name: "response", schema } } };
      }
      const json = JSON.stringify({ ...schema, "x-guidance": WHITE_SPACE });
      const definition = `start: PREFIX answer\nPREFIX: /${escaped(prefix)}/\nanswer: %json ${json}`;
      return { puna: { grammar: { syntax: "lark", definition } } };
    },
    isMet: isJson,
  };
}

/** As the engine has it in JSON of a schema: where it is free, models may go on with nothing else. */
const WHITE_SPACE = { whitespace_flexible: false, item_separator: ", ", key_separator: ": " };

function isSchema(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The engine holds to the rest; what was cut short is no JSON. */
function isJson(answer: string): boolean {
  try {
    JSON.parse(answer);
    return true;
  } catch {
    return false;
  }
}
