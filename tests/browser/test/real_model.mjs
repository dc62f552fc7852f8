// The real model against answers that an independent implementation recorded (tests/golden).
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { PLAIN_TEMPLATE, REAL, root } from "../context.mjs";
import { test } from "../suite.mjs";

const golden = path.join(root, "tests/golden/smollm2-135m-instruct-q4_1");
const read = (name) => JSON.parse(fs.readFileSync(path.join(golden, name), "utf8"));
const { prompts } = read("generation.json");
const { chats } = read("tokenizer.json");

const RAW = {
  short: "The capital of France is",
  about30:
    "Once upon a time, in a small village at the foot of a snowy mountain, there lived an old clockmaker who never told anyone " +
    "what time it was, because",
};

/** How close the two best logits may come before rounding may choose the other one. */
const MARGIN = { f32: 0.01, f16: 0.15 };

/** A quick run looks at the first tokens; a full run at all that were recorded. */
const QUICK_TOKENS = 12;

/** Asks for as many tokens as the recorded margins bear; the answer must begin the recorded text. */
async function check(t, name, messages, precision) {
  const { greedy_margin, greedy_text } = prompts[name].exact;
  const unsure = greedy_margin.findIndex((margin) => margin < MARGIN[precision]);
  const sure = unsure < 0 ? greedy_margin.length : unsure;
  const max_tokens = t.full ? sure : Math.min(sure, QUICK_TOKENS);
  assert.ok(max_tokens > 0, `${name}: no step is sure`);
  const { choices, usage } = await t.chat({ messages, temperature: 0, max_tokens });
  assert.equal(usage.prompt_tokens, prompts[name].ids.length, `${name}: tokens of the prompt`);
  const text = choices[0].message.content;
  // The recorded text goes on after a stop token, which is written out there.
  const end = greedy_text.search(/<\|im_end\|>/);
  const expected = end < 0 ? greedy_text : greedy_text.slice(0, end);
  const shown = `${name}: ${JSON.stringify(text)} against ${JSON.stringify(expected)}`;
  assert.ok(text.length > 0 && expected.startsWith(text), shown);
  if (choices[0].finish_reason === "stop") assert.equal(text, expected, shown);
  else assert.equal(usage.completion_tokens, max_tokens, shown);
}

/** The options of the load, the browsers that have what they need, and whether only the full run has them. */
const VARIANTS = [
  ["as chosen for this device", {}, ["chromium", "firefox"], false],
  ["with subgroups", { variant: "subgroup" }, ["chromium"], true],
  ["with shared memory", { variant: "shared" }, ["chromium", "firefox"], true],
  ["serial", { variant: "serial" }, ["chromium", "firefox"], true],
  ["in f16", { precision: "f16" }, ["firefox"], false],
  ["in f32", { precision: "f32" }, ["firefox"], true],
];

for (const [name, advanced, browsers, full] of VARIANTS) {
  test(`answers as recorded, ${name}`, { browsers, full, seconds: full ? 2400 : 900 }, async (t) => {
    const { info } = await t.load(t.url(REAL), { advanced });
    for (const [option, value] of Object.entries(advanced)) assert.equal(info.device[option], value, `the device's ${option}`);
    const { precision } = info.device;
    const chat = chats.find((chat) => JSON.stringify(chat.ids) === JSON.stringify(prompts.chat.ids));
    await check(t, "chat", chat.messages, precision);
    await t.lab("unload");

    await t.load(t.url(REAL), { advanced, chatTemplate: PLAIN_TEMPLATE });
    for (const [prompt, content] of Object.entries(RAW)) await check(t, prompt, [{ role: "user", content }], precision);
  });
}
