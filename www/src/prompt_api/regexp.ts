// A `RegExp` as the engine takes one: in the syntax of Rust's `regex`, and of a whole text. A text that an expression matches
// from its beginning to its end is one that `RegExp.test` finds it in, too; so anchors at the ends change nothing.

import { type Characters, charactersOf } from "./characters.js";
import { type Tree, byCodePoint, refusal, treeOf } from "./regexp_tree.js";

/** The same expression in the engine's syntax; `NotSupportedError` by name for what it has no word for. */
export function engineRegex(regexp: RegExp): string {
  return written(treeOf(regexp), true, true);
}

/** A text as an expression that matches it alone. Half a character is U+FFFD, as it is wherever texts become bytes. */
export function escaped(text: string): string {
  const one = (char: string): string => {
    if (/[0-9A-Za-z ]/.test(char)) return char;
    return hex(isHalf(char) ? 0xfffd : (char.codePointAt(0) ?? 0xfffd));
  };
  return Array.from(text, one).join("");
}

/** `atStart` and `atEnd` tell whether nothing can stand in front, or behind. */
function written(tree: Tree, atStart: boolean, atEnd: boolean): string {
  switch (tree.kind) {
    case "literal":
      if (isHalf(tree.text)) throw refusal(JSON.stringify(tree.text), "half a character");
      return escaped(tree.text);
    case "set":
      return setOf(tree, false);
    case "anchor":
      if (!(tree.end ? atEnd : atStart)) {
        throw refusal(tree.end ? "$" : "^", "an anchor in the middle");
      }
      return "";
    case "sequence":
      return tree.parts
        .map((part, ix) => {
          const before = tree.parts.slice(0, ix).every(isAnchor);
          const behind = tree.parts.slice(ix + 1).every(isAnchor);
          return written(part, atStart && before, atEnd && behind);
        })
        .join("");
    case "choice":
      return `(?:${tree.parts.map((part) => written(part, atStart, atEnd)).join("|")})`;
    case "repeat": {
      const { part, least, most } = tree;
      const isOnce = most <= 1;
      const text =
        part.kind === "set"
          ? setOf(part, most === Infinity)
          : `(?:${written(part, atStart && isOnce, atEnd && isOnce)})`;
      return `${text}{${least},${most === Infinity ? "" : most}}`;
    }
  }
}

/**
 * A set of characters. An expression without the flag `u` goes by halves of characters: one beyond U+FFFF counts as two of
 * them, which is the same where any number will do.
 */
function setOf({ atom, flags }: Extract<Tree, { kind: "set" }>, anyNumber: boolean): string {
  const { ranges, hasHalves } = charactersOf(atom, flags);
  const all: Characters["ranges"] = anyNumber && hasHalves ? [...ranges, [0x10000, 0x10ffff]] : ranges;
  if (all.length === 0) {
    const why = byCodePoint(flags) ? "no character" : "no whole character; the flag u may help";
    throw refusal(atom, why);
  }
  const parts = all.map(([first, last]) => (first === last ? hex(first) : `${hex(first)}-${hex(last)}`));
  return `[${parts.join("")}]`;
}

function isAnchor(tree: Tree): boolean {
  return tree.kind === "anchor";
}

/** Whether a character is one half of one. */
function isHalf(char: string): boolean {
  return /^[\ud800-\udfff]$/.test(char);
}

function hex(codePoint: number): string {
  return `\\x{${codePoint.toString(16)}}`;
}
