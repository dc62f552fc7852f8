// The browser's tables of Unicode, which the tokenizers have no others than.
import assert from "node:assert/strict";
import { test } from "../suite.mjs";

const NAMES = {
  L: "L",
  Nd: "Nd",
  White_Space: "White_Space",
  "Script=Cyrillic": "Script=Cyrillic",
  // As expressions have it, where JavaScript wants to be told that it is a script.
  Han: "Script=Han",
};

test("sets of characters are what the browser says of each character", async (t) => {
  const differing = await t.page.evaluate(async (names) => {
    const { default: init, unicode_class } = await import("/conformance/puna_web.js");
    await init();
    const differing = {};
    for (const [ours, theirs] of Object.entries(names)) {
      const expression = new RegExp(`^\\p{${theirs}}$`, "u");
      const ends = unicode_class(ours);
      let at = 0;
      for (let point = 0; point <= 0x10ffff; point += 1) {
        if (point >= 0xd800 && point <= 0xdfff) continue;
        while (at + 1 < ends.length && ends[at + 1] < point) at += 2;
        const has = at < ends.length && ends[at] <= point;
        if (has !== expression.test(String.fromCodePoint(point))) {
          differing[ours] = point;
          break;
        }
      }
    }
    for (const unknown of ["Nonsense", "", "L}", "\\p"]) {
      if (unicode_class(unknown) !== undefined) differing[unknown] = "known";
    }
    return differing;
  }, NAMES);
  assert.deepEqual(differing, {}, "the first character of each set that is in one and not in the other");
});

test("user-perceived characters are whole", async (t) => {
  const all = ["a", "\r\n", "e\u0301", "\r", "日", "👩\u200d👧", "\u1100\u1161\u11a8", "क्षि", "b"];
  const parts = await t.page.evaluate(async (text) => {
    const { default: init, graphemes } = await import("/conformance/puna_web.js");
    await init();
    const bytes = new TextEncoder().encode(text);
    const ends = [...graphemes(text)];
    return ends.map((end, ix) => new TextDecoder().decode(bytes.slice(ends[ix - 1] ?? 0, end)));
  }, all.join(""));
  assert.deepEqual(parts, all);
});
