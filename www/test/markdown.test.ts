import { describe, expect, it } from "vitest";

import { bytes, counted, duration, rate } from "../demo/view/format.js";
import { blocksOf, runsOf } from "../demo/view/markdown.js";

const text = (value: string): { kind: "text"; text: string } => ({ kind: "text", text: value });

describe("an answer's blocks", () => {
  it("are paragraphs, headings, lists and code", () => {
    const kinds = blocksOf("# Title\nOne\ntwo\n\n- a\n- b\n\n3. c\n4. d\n```js\nx\n```\nend");
    expect(kinds).toEqual([
      { kind: "heading", level: 1, runs: [text("Title")] },
      { kind: "paragraph", runs: [text("One\ntwo")] },
      { kind: "list", isOrdered: false, start: 1, items: [[text("a")], [text("b")]] },
      { kind: "list", isOrdered: true, start: 3, items: [[text("c")], [text("d")]] },
      { kind: "code", language: "js", text: "x" },
      { kind: "paragraph", runs: [text("end")] },
    ]);
  });

  it("grow: a fence is code before it is closed", () => {
    expect(blocksOf("```py\na = 1\n\nb")).toEqual([{ kind: "code", language: "py", text: "a = 1\n\nb" }]);
  });

  it("keep markup as the text it is", () => {
    const html = '<img src=x onerror="alert(1)"> <b>no</b>';
    expect(blocksOf(html)).toEqual([{ kind: "paragraph", runs: [text(html)] }]);
    expect(blocksOf(`\`\`\`\n${html}\n\`\`\``)).toEqual([{ kind: "code", language: "", text: html }]);
  });

  it("take whatever a model writes, and end", () => {
    const odd = [
      "",
      "\n\n",
      "```",
      "`",
      "**",
      "*",
      "-",
      "- ",
      "1.",
      "# ",
      "- a\n```\nb",
      "* * *",
      "**a",
      "a*b*c",
    ];
    for (const one of odd) for (const two of odd) blocksOf(`${one}\n${two}`);
    const before = performance.now();
    blocksOf("*a **b `c ".repeat(2000));
    expect(performance.now() - before).toBeLessThan(2000);
  });

  it("lose no word", () => {
    const source = "Intro\n- one\n  more of one\n- two\n1) first\n## Head\nlast **bold `x`";
    const words = JSON.stringify(blocksOf(source));
    for (const word of ["Intro", "one", "more of one", "two", "first", "Head", "last", "bold", "x"]) {
      expect(words).toContain(word);
    }
  });
});

describe("a line's runs", () => {
  it("are code, bold and italic", () => {
    expect(runsOf("a `b*c*` **d** *e* f")).toEqual([
      text("a "),
      { kind: "code", text: "b*c*" },
      text(" "),
      { kind: "strong", text: "d" },
      text(" "),
      { kind: "em", text: "e" },
      text(" f"),
    ]);
  });

  it("leave arithmetic alone", () => {
    expect(runsOf("2 * 3 * 4")).toEqual([text("2 * 3 * 4")]);
  });
});

describe("numbers", () => {
  it("read well", () => {
    expect([0, 999, 1000, 98_362_432, 999_960_000, 1.1e9].map(bytes)).toEqual([
      "0 B",
      "999 B",
      "1.0 kB",
      "98.4 MB",
      "1.0 GB",
      "1.1 GB",
    ]);
    expect([0.2, 42, 200].map(duration)).toEqual(["1 s", "42 s", "3 min"]);
    expect([9.87, 123.4].map(rate)).toEqual(["9.9", "123"]);
    expect([1, 1234].map((count) => counted(count, "token"))).toEqual(["1 token", "1,234 tokens"]);
  });
});
