// What answers are held to.
import { describe, expect, it } from "vitest";

import { engineRegex, escaped } from "../../src/prompt_api/regexp.js";
import { rejectionOf } from "../support.js";
import { chunksOf, scripted } from "./support.js";

const SCHEMA = {
  type: "object",
  properties: { rating: { type: "number", minimum: 0, maximum: 5 } },
  required: ["rating"],
};

/** What an expression becomes as JavaScript reads the engine's syntax: the same but for `\x{…}`, which is `\u{…}`. */
function again(regex: string): RegExp {
  const source = regex.replace(/\\x\{([0-9a-f]+)\}/g, "\\u{$1}").replace(/\(\?s:\.\*\)/g, "[^]*");
  return new RegExp(`^(?:${source})$`, "u");
}

/** Expressions, texts that they match as a whole, and texts that they do not. */
const EXPRESSIONS: [RegExp, string[], string[]][] = [
  [/yes|no/, ["yes", "no"], ["yesno", "yes ", ""]],
  [/^(?:yes|no)$/, ["yes", "no"], ["^yes"]],
  [/^a|b$/, ["a", "b"], ["ab"]],
  [/(?<year>\d{4})-(\d\d)/, ["2026-11"], ["٢٠٢٦-11", "2026-1"]],
  [/-?\d/, ["-3", "3"], ["-33"]],
  [/a{2,}b{3}c{0,2}?d*?/, ["aabbb", "aaabbbccddd"], ["abbb", "aabbbccc"]],
  [/[a-c\]\-^\\]+/, ["ab]-^\\"], ["d"]],
  [/[^,\s]+/, ["ä😀b"], ["a,b", "a b"]],
  [/[^,]/, ["é"], ["😀", ","]],
  [/./, ["a", "\t"], ["\n", "\r", "\u2028", "ab"]],
  [/./s, ["\n"], []],
  [/.*/, ["", "a😀b"], ["a\nb"]],
  [/.{2}/u, ["😀a"], ["😀"]],
  [/\w+@\w+\.[a-z]{2,}/i, ["a_1@b.PE"], ["ä@b.pe", "a@b.p"]],
  [/k/i, ["k", "K"], ["\u212a"]],
  [/k/iu, ["k", "K", "\u212a"], ["q"]],
  [/[^\d]/, ["a", "\u0663"], ["3"]],
  [/\p{Lu}\P{Lu}/u, ["Éa", "𝐀a"], ["ea"]],
  [new RegExp("[\\p{L}--[a-z]]+", "v"), ["É"], ["e"]],
  [/\u{1F600}|\ud83d\ude01/u, ["😀", "😁"], ["😂"]],
  [/\ud83d\ude00😁?/u, ["😀", "😀😁"], ["😁"]],
  [/😀{2}/u, ["😀😀"], ["😀"]],
  [/(?:😀){2}/, ["😀😀"], ["😀"]],
  [/\x41\u0042\cJ\0\t\/\./, ["AB\n\0\t/."], ["AB\n\0\t/x"]],
  [/a{,3}]{/, ["a{,3}]{"], ["aaa"]],
  [/\$\^/, ["$^"], ["$"]],
  [new RegExp(""), [""], ["a"]],
  [/a||b/, ["a", "", "b"], ["ab"]],
];

/** Expressions that answers can't be held to, and what is named. */
const REFUSED: [RegExp, string][] = [
  [/a(?=b)/, "lookaround"],
  [/(?<!a)b/, "lookaround"],
  [/(a)\1/, "reference"],
  [/(?<x>a)\k<x>/, "reference"],
  [/\bword\b/, "border of words"],
  [/a^b/, "anchor"],
  [/(?:a$)*/, "anchor"],
  [/a$|b$c/m, "anchor"],
  [/😀{2}/, "half"],
  [/[😀]/, "flag u"],
  [/\ud83d/, "no whole character"],
  [/[^\s\S]/u, "no character"],
  [new RegExp("\\012"), "octal"],
  [new RegExp("[\\q{ab|c}]", "v"), "set of texts"],
  [new RegExp("\\p{RGI_Emoji}", "v"), "set of texts"],
];

describe("an expression", () => {
  it.each(EXPRESSIONS)("%s means the same in the engine's syntax", (regexp, matched, others) => {
    const regex = engineRegex(regexp);
    const engines = again(regex);
    for (const text of matched) {
      expect(engines.test(text), `${JSON.stringify(text)} by ${regex}`).toBe(true);
      // What the engine may say is what a page may test for.
      expect(new RegExp(regexp.source, regexp.flags).test(text)).toBe(true);
    }
    for (const text of others) expect(engines.test(text), `${JSON.stringify(text)} by ${regex}`).toBe(false);
  });

  it.each(REFUSED)("%s is refused by name: %s", async (regexp, name) => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create();
    const error = await rejectionOf(session.prompt("a", { responseConstraint: regexp }));
    expect(error).toMatchObject({ name: "NotSupportedError" });
    expect((error as Error).message).toContain(name);
    expect(() => session.promptStreaming("a", { responseConstraint: regexp })).toThrow(DOMException);
    expect(script.requests).toHaveLength(0);
  });

  it("may have flags for a group alone", () => {
    // Not every platform reads such an expression yet.
    const engines = again(engineRegex({ source: "a(?i:b(?-i:c))d(?s-i:.)", flags: "i" } as RegExp));
    for (const text of ["abcdx", "ABcD\n"]) expect(engines.test(text)).toBe(true);
    expect(engines.test("abCdx")).toBe(false);
  });

  it("of a text is that text", () => {
    const text = 'a.b*c"\\/[]{}\n😀é |';
    expect(again(escaped(text)).test(text)).toBe(true);
    expect(escaped(text)).toMatch(/^[\w\\{} ]*$/);
    expect(escaped("\ud83d")).toBe("\\x{fffd}");
  });
});

describe("responseConstraint", () => {
  it("holds an answer to an expression, which the model is told of", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = () => "yes";
    const session = await LanguageModel.create();
    expect(await session.prompt("Well?", { responseConstraint: /^(yes|no)$/giy })).toBe("yes");
    expect(script.requests[0]?.puna?.regex).toBe(engineRegex(/(yes|no)/i));
    expect(script.requests[0]?.messages[0]?.content).toBe(
      "Well?\n\nAnswer with a text that matches this regular expression as a whole: /^(yes|no)$/i",
    );
    const both = ["One", "Two"].map((content) => ({ role: "user" as const, content }));
    await (await session.clone()).prompt(both, { responseConstraint: /yes/ });
    expect(script.requests[1]?.messages.slice(-2).map(({ content }) => content)).toEqual([
      "One",
      expect.stringMatching(/^Two\n\nAnswer with/),
    ]);
    await session.prompt("Well?", { responseConstraint: /yes/, omitResponseConstraintInput: true });
    expect(script.requests[2]?.messages.at(-1)?.content).toBe("Well?");
  });

  it("holds an answer to a schema, also from a prefix on", async () => {
    const { LanguageModel, script } = scripted();
    script.answer = (_, count) => (count === 1 ? '{"rating": 5}' : '```{"rating": 5}');
    const session = await LanguageModel.create();
    const responseConstraint = { ...SCHEMA };
    expect(await session.prompt("How?", { responseConstraint })).toBe('{"rating": 5}');
    expect(script.requests[0]?.response_format?.json_schema.schema).toEqual(SCHEMA);
    expect(script.requests[0]?.messages[0]?.content).toContain(JSON.stringify(SCHEMA));
    const prefixed = [
      { role: "user", content: "How?" },
      { role: "assistant", content: "```", prefix: true },
    ] as const;
    expect(await session.prompt([...prefixed], { responseConstraint })).toBe('{"rating": 5}');
    const { definition = "" } = script.requests[1]?.puna?.grammar ?? {};
    expect(definition).toMatch(
      /^start: PREFIX answer\nPREFIX: \/(\\x\{60\}){3}\/\nanswer: %json \{"type":"object",/,
    );
  });

  it("rejects with a SyntaxError what the answer is not", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create();
    script.answer = () => ({ content: '{"rating": ', isCut: true });
    const cut = await rejectionOf(session.prompt("a", { responseConstraint: SCHEMA }));
    expect(cut).toMatchObject({ name: "SyntaxError" });
    expect((cut as Error).message).toContain("no room");
    script.answer = () => "maybe";
    const stream = session.promptStreaming("a", { responseConstraint: /yes|no/ });
    expect(await rejectionOf(chunksOf(stream))).toMatchObject({ name: "SyntaxError" });
    await session.prompt("b");
    expect(script.requests.at(-1)?.messages).toHaveLength(1);
  });

  it.each([null, 5, "text", [], true, { toJSON: () => undefined }])(
    "is no %j",
    async (responseConstraint) => {
      const { LanguageModel } = scripted();
      const session = await LanguageModel.create();
      const options = { responseConstraint: responseConstraint as object };
      expect(await rejectionOf(session.prompt("a", options))).toBeInstanceOf(TypeError);
      expect(() => session.promptStreaming("a", options)).toThrow(TypeError);
    },
  );

  it("can't be left out of the input without being there, nor be what is no plain data", async () => {
    const { LanguageModel } = scripted();
    const session = await LanguageModel.create();
    const omitted = session.prompt("a", { omitResponseConstraintInput: true });
    expect(await rejectionOf(omitted)).toBeInstanceOf(TypeError);
    const responseConstraint: Record<string, unknown> = {};
    responseConstraint["properties"] = responseConstraint;
    expect(await rejectionOf(session.prompt("a", { responseConstraint }))).toMatchObject({
      name: "NotSupportedError",
    });
  });
});
