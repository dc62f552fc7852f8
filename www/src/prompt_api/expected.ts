// What is expected to go into a session and to come out: types and languages.

import { TYPES } from "./messages.js";
import type { LanguageModelMessageType } from "./types.js";
import { dictionary, domString, enumeration, required, sequence } from "./webidl.js";

/** What is expected of one direction. */
export interface Expected {
  types: ReadonlySet<LanguageModelMessageType>;
  /** Canonical BCP 47 tags. */
  languages: readonly string[];
}

/** What every model of Puna can be given and can give. */
const SUPPORTED = {
  inputs: ["text", "tool-call", "tool-response"],
  outputs: ["text", "tool-call"],
} as const satisfies Record<string, readonly LanguageModelMessageType[]>;

/** Reads `expectedInputs` or `expectedOutputs`; texts are always expected. A tag that is none is a `RangeError`. */
export function readExpected(value: unknown, what: string): Expected {
  const types = new Set<LanguageModelMessageType>(["text"]);
  const languages = new Set<string>();
  const items = value === undefined ? [] : sequence(value, what);
  for (const [ix, item] of items.entries()) {
    const at = `${what}[${ix}]`;
    const members = dictionary(item, at);
    types.add(enumeration(required(members, "type", at), TYPES, `${at}.type`));
    if (members["languages"] === undefined) continue;
    const tags = sequence(members["languages"], `${at}.languages`);
    for (const [ix, tag] of tags.entries()) {
      languages.add(canonicalTag(domString(tag, `${at}.languages[${ix}]`), `${at}.languages[${ix}]`));
    }
  }
  return { types, languages: [...languages] };
}

/**
 * Why that can't be had, or `null` if it can. `spoken` are languages that the page's author vouches for; where there are
 * none every language will do, for a model's file does not tell what it can.
 */
export function unsupported(
  inputs: Expected,
  outputs: Expected,
  spoken: readonly string[] | null,
): string | null {
  for (const [name, { types, languages }] of [
    ["inputs", inputs],
    ["outputs", outputs],
  ] as const) {
    const supported: readonly LanguageModelMessageType[] = SUPPORTED[name];
    const what = name === "inputs" ? "expectedInputs" : "expectedOutputs";
    for (const type of types) {
      if (!supported.includes(type)) {
        return `${what}: "${type}" is not supported; ${supported.map((one) => JSON.stringify(one)).join(", ")} are`;
      }
    }
    const missing = spoken === null ? undefined : languages.find((tag) => !covers(spoken, tag));
    if (missing !== undefined) return `${what}: the language ${missing} is not among those of this model`;
  }
  return null;
}

/** Reads languages that an author vouches for. */
export function readLanguages(tags: readonly string[]): string[] {
  return tags.map((tag, ix) => canonicalTag(tag, `languages[${ix}]`));
}

/** Whether a language, or one that it is a kind of, is among them: `de-CH` is a kind of `de`. */
function covers(spoken: readonly string[], tag: string): boolean {
  return spoken.some((one) => tag === one || tag.startsWith(`${one}-`));
}

function canonicalTag(tag: string, what: string): string {
  try {
    const [canonical] = Intl.getCanonicalLocales(tag);
    if (canonical !== undefined) return canonical;
  } catch {
    // Told below.
  }
  throw new RangeError(`${what}: ${JSON.stringify(tag)} is no BCP 47 language tag`);
}
