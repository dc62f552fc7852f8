// Answers of the tiny model: streamed and whole, stopped from outside, one after another.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { greedy, textOf } from "../context.mjs";
import { test } from "../suite.mjs";

/** Tokens of the tiny model: 0xC3 and 0xA9, the bytes of é. */
const FIRST_BYTE = 127;
const SECOND_BYTE = 102;

test("gives the same text streamed and whole", async (t) => {
  await t.loadTiny();
  const whole = await t.chat(greedy("Hello", 24));
  const chunks = await t.chat(greedy("Hello", 24, { stream: true }));
  assert.ok(whole.choices[0].message.content.length > 0);
  assert.equal(textOf(chunks), whole.choices[0].message.content);
});

test("gives the same answer after another conversation", async (t) => {
  await t.loadTiny();
  const first = await t.chat(greedy("Once upon a time", 16));
  await t.chat(greedy("Something else, and longer than the first one", 16));
  // Shares a prefix with the first, so that a part of the attention cache may be kept.
  await t.chat(greedy("Once upon another time", 16));
  const again = await t.chat(greedy("Once upon a time", 16));
  assert.equal(again.choices[0].message.content, first.choices[0].message.content);
  const { prompt_tokens_details, ...counts } = again.usage;
  const { prompt_tokens_details: none, ...expected } = first.usage;
  assert.deepEqual(counts, expected);
  assert.equal(none.cached_tokens, 0);
  assert.ok(prompt_tokens_details.cached_tokens > 0, "the shared prefix was not computed again");
});

test("streams while it works, not at the end", async (t) => {
  await t.loadTiny();
  await t.chat(greedy("Hello", 4));
  const { times } = await t.lab("chat", greedy("Hello", 100, { stream: true }));
  assert.ok(times.length > 20, `${times.length} chunks`);
  const spread = times.at(-1) - times[0];
  const half = times[Math.floor(times.length / 2)] - times[0];
  assert.ok(half > spread * 0.1, `half of the chunks came within ${half} of ${spread} ms`);
});

test("stops working when the loop is left", async (t) => {
  await t.loadTiny();
  const chunks = await t.chat(greedy("Hello", 450, { stream: true }), { leaveAfter: 3 });
  assert.equal(chunks.length, 3);
  await sleep(1000);
  const before = await t.lab("counters");
  // Those of the prompt, of three chunks, and of the moment until the worker hears of it.
  assert.ok(before.steps < 200, `${before.steps} steps were made of the 450 asked for`);
  await sleep(1000);
  const after = await t.lab("counters");
  assert.equal(after.steps, before.steps, "no step was made after the loop was left");
  const completion = await t.chat(greedy("Hello", 4));
  assert.ok(completion.usage.completion_tokens > 0, "the next request is answered");
});

test("stops at its AbortSignal with an AbortError, and answers the next request", async (t) => {
  await t.loadTiny();
  const expected = await t.chat(greedy("Hello", 8));
  const error = await t.chatError(greedy("Hello", 450, { stream: true }), { abortAfter: 3 });
  assert.equal(error.name, "AbortError");
  assert.equal(error.code, "aborted");
  assert.ok(error.isPunaError && error.isError);
  const next = await t.chat(greedy("Hello", 8));
  assert.equal(next.choices[0].message.content, expected.choices[0].message.content);
});

test("answers two requests made at once, each as if alone", async (t) => {
  await t.loadTiny();
  const requests = [greedy("First", 12), greedy("Second", 12)];
  const alone = [await t.chat(requests[0]), await t.chat(requests[1])];
  assert.notEqual(alone[0].choices[0].message.content, alone[1].choices[0].message.content, "the answers can be told apart");
  const atOnce = await t.page.evaluate((requests) => Promise.all(requests.map((request) => window.lab.chat(request))), requests);
  for (const [ix, { value, error }] of atOnce.entries()) {
    assert.equal(error, undefined, `request ${ix}`);
    assert.equal(value.choices[0].message.content, alone[ix].choices[0].message.content, `request ${ix}`);
  }
});

test("never splits a character between chunks", async (t) => {
  await t.loadTiny();
  // The model is made to say nothing but the two bytes of é, each a token of its own; the penalty makes it go from one to
  // the other. Where one follows the other there must be an é: text that is made token by token has none.
  const request = greedy("Hello", 60, { logit_bias: { [FIRST_BYTE]: 100, [SECOND_BYTE]: 100 }, frequency_penalty: 2 });
  const whole = (await t.chat(request)).choices[0].message.content;
  const chunks = await t.chat({ ...request, stream: true });
  assert.match(whole, /^[é\ufffd]+$/, "nothing else was said");
  assert.ok(whole.includes("é"), `two bytes are one character in ${JSON.stringify(whole)}`);
  assert.equal(textOf(chunks), whole);
  assert.ok(chunks.some((chunk) => chunk.choices[0]?.delta.content?.includes("é")), "it is in one chunk");
});
