// A `RegExp` taken apart. The platform has read it before: what is no expression does not come here.

import { domException } from "./errors.js";

/** A part of an expression. */
export type Tree =
  /** One of some characters: a piece that the platform's `RegExp` can be asked about, with the flags that hold there. */
  | { kind: "set"; atom: string; flags: string }
  /** These very characters. */
  | { kind: "literal"; text: string }
  /** `^` or `$`. */
  | { kind: "anchor"; end: boolean }
  | { kind: "sequence"; parts: Tree[] }
  | { kind: "choice"; parts: Tree[] }
  | { kind: "repeat"; part: Tree; least: number; most: number };

/** The tree of an expression; what only matching can decide, such as lookaround, is a `NotSupportedError`. */
export function treeOf({ source, flags }: RegExp): Tree {
  return new Reader(source).choice(flags);
}

/** Reads from front to back. */
class Reader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** Alternatives, up to the end or a closing parenthesis. */
  choice(flags: string): Tree {
    const parts = [this.#sequence(flags)];
    while (this.#take("|")) parts.push(this.#sequence(flags));
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: "choice", parts };
  }

  #sequence(flags: string): Tree {
    const parts: Tree[] = [];
    while (this.#at < this.#source.length && !this.#sees("|") && !this.#sees(")")) {
      parts.push(this.#repeated(this.#atom(flags)));
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: "sequence", parts };
  }

  #atom(flags: string): Tree {
    if (this.#take("^")) return { kind: "anchor", end: false };
    if (this.#take("$")) return { kind: "anchor", end: true };
    if (this.#take("(")) return this.#group(flags);
    const { source } = this;
    if (this.#sees("[")) return { kind: "set", atom: this.#class(flags), flags };
    if (this.#sees("\\")) return this.#escape(flags);
    if (this.#take(".")) return { kind: "set", atom: ".", flags };
    const pair = /^[\ud800-\udbff][\udc00-\udfff]/.exec(source);
    const text = pair === null ? source.charAt(0) : pair[0];
    this.#at += text.length;
    if (pair !== null && !byCodePoint(flags) && /^[*+?{]/.test(this.source)) {
      throw refusal(`${text} is repeated`, "without the flag u only its second half would be");
    }
    return pair !== null || !flags.includes("i")
      ? { kind: "literal", text }
      : { kind: "set", atom: text.replace(/[\]/{}]/, "\\$&"), flags };
  }

  /** What is behind an opening parenthesis. */
  #group(flags: string): Tree {
    const look = /^\?<?[=!]/.exec(this.source);
    if (look !== null) throw refusal(`(${look[0]}…)`, "lookaround");
    // Captures are of no use here; flags may be set for the group alone.
    const [opening, on = "", off = ""] = /^\?(?:<[^>]*>|([ims]*)(?:-([ims]*))?:)/.exec(this.source) ?? [""];
    this.#at += opening.length;
    const inner = flags.replace(new RegExp(`[${on}${off}]`, "g"), "") + on;
    const tree = this.choice(inner);
    this.#take(")");
    return tree;
  }

  #class(flags: string): string {
    const start = this.#at;
    let depth = 0;
    do {
      const char = this.#source.charAt(this.#at);
      if (char === "\\") this.#at++;
      else if (char === "[" && (depth === 0 || flags.includes("v"))) depth++;
      else if (char === "]") depth--;
      this.#at++;
    } while (depth > 0 && this.#at < this.#source.length);
    return ofOneCharacter(this.#source.slice(start, this.#at));
  }

  #escape(flags: string): Tree {
    const rest = this.source;
    if (/^\\[bB]/.test(rest)) throw refusal(rest.slice(0, 2), "a border of words");
    if (/^\\[1-9]|^\\k</.test(rest)) {
      throw refusal(rest.slice(0, 2), "a reference to what was matched before");
    }
    if (/^\\0[0-9]/.test(rest)) throw refusal(rest.slice(0, 3), "an octal number; \\x has hexadecimal ones");
    const pair = PAIR.exec(rest);
    if (pair !== null) {
      this.#at += pair[0].length;
      return { kind: "literal", text: paired(pair[0]) };
    }
    const atom = (byCodePoint(flags) ? ESCAPE_BY_CODE_POINT : ESCAPE).exec(rest)?.[0] ?? rest.slice(0, 2);
    this.#at += atom.length;
    return { kind: "set", atom: ofOneCharacter(atom), flags };
  }

  #repeated(part: Tree): Tree {
    const [text, sign, low, comma, high] = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/.exec(this.source) ?? [];
    if (text === undefined) return part;
    this.#at += text.length;
    // Whether as many or as few as can be are tried first makes no other language.
    if (sign !== undefined) {
      return { kind: "repeat", part, least: sign === "+" ? 1 : 0, most: sign === "?" ? 1 : Infinity };
    }
    const least = Number(low);
    const most = comma === undefined ? least : high === undefined || high === "" ? Infinity : Number(high);
    return { kind: "repeat", part, least, most };
  }

  /** What has not been read yet. */
  get source(): string {
    return this.#source.slice(this.#at);
  }

  #sees(char: string): boolean {
    return this.#source.startsWith(char, this.#at);
  }

  #take(char: string): boolean {
    if (!this.#sees(char)) return false;
    this.#at += char.length;
    return true;
  }
}

/** The error for what answers can't be held to. */
export function refusal(what: string, why: string): DOMException {
  return domException(
    "NotSupportedError",
    `responseConstraint: ${what} (${why}) can't be followed; write the expression without it`,
  );
}

/** Whether an expression goes by characters, and not by their halves. */
export function byCodePoint(flags: string): boolean {
  return /[uv]/.test(flags);
}

/** Refuses what may stand for several characters at once. */
function ofOneCharacter(atom: string): string {
  const several = /\\q\{|\\p\{(?:Basic_Emoji|Emoji_Keycap_Sequence|RGI_\w+)\}/.exec(atom);
  if (several !== null) throw refusal(several[0], "a set of texts");
  return atom;
}

/** The two halves of a character, written as escapes. */
const PAIR = /^\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}(?![*+?{])/;

function paired(escapes: string): string {
  return String.fromCharCode(parseInt(escapes.slice(2, 6), 16), parseInt(escapes.slice(8, 12), 16));
}

const ESCAPE = /^\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|c[A-Za-z]|[^])/;
const ESCAPE_BY_CODE_POINT =
  /^\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]+\}|[pP]\{[^}]*\}|c[A-Za-z]|[^])/;
