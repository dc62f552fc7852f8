// Sampling, stop texts and limits, on the tiny model: its random weights make every choice visible.
import assert from "node:assert/strict";
import { greedy } from "../context.mjs";
import { test } from "../suite.mjs";

const sampled = (more) => ({ messages: [{ role: "user", content: "Hello" }], temperature: 1.2, max_tokens: 24, ...more });
const textOf = (completion) => completion.choices[0].message.content;

test("gives the same tokens for the same seed, others for another", async (t) => {
  await t.loadTiny();
  const one = textOf(await t.chat(sampled({ seed: 1 })));
  const oneAgain = textOf(await t.chat(sampled({ seed: 1 })));
  const two = textOf(await t.chat(sampled({ seed: 2 })));
  assert.equal(oneAgain, one);
  assert.notEqual(two, one);
});

test("is greedy with top_k 1, with a tiny top_p and with min_p 1", async (t) => {
  await t.loadTiny();
  const expected = textOf(await t.chat(greedy("Hello", 24)));
  for (const narrowing of [{ top_k: 1 }, { top_p: 1e-6 }, { min_p: 1 }]) {
    assert.equal(textOf(await t.chat(sampled({ ...narrowing, seed: 3 }))), expected, JSON.stringify(narrowing));
  }
});

test("is changed by each penalty", async (t) => {
  await t.loadTiny();
  const plain = textOf(await t.chat(greedy("Hello", 48)));
  for (const penalty of [{ repetition_penalty: 1.8 }, { presence_penalty: 2 }, { frequency_penalty: 2 }]) {
    assert.notEqual(textOf(await t.chat(greedy("Hello", 48, penalty))), plain, JSON.stringify(penalty));
  }
});

test("ends after max_tokens with finish_reason length", async (t) => {
  await t.loadTiny();
  for (const limit of ["max_tokens", "max_completion_tokens"]) {
    const { choices, usage } = await t.chat({ messages: [{ role: "user", content: "Hello" }], temperature: 0, [limit]: 7 });
    assert.equal(choices[0].finish_reason, "length");
    assert.equal(usage.completion_tokens, 7);
    assert.equal(usage.total_tokens, usage.prompt_tokens + 7);
  }
});

test("ends before a stop text with finish_reason stop", async (t) => {
  await t.loadTiny();
  const whole = textOf(await t.chat(greedy("Hello", 32)));
  // From the middle, and long enough to span tokens.
  const middle = Math.floor(whole.length / 2);
  const stop = whole.slice(middle, middle + 5);
  const { choices } = await t.chat(greedy("Hello", 32, { stop: [stop, "never said"] }));
  assert.equal(choices[0].finish_reason, "stop");
  assert.equal(choices[0].message.content, whole.slice(0, whole.indexOf(stop)));
});
