// The wire: fields, chunks and usage are OpenAI's.
import assert from "node:assert/strict";
import { greedy } from "../context.mjs";
import { test } from "../suite.mjs";

const isRecent = (created) => Math.abs(created - Date.now() / 1000) < 600;

test("a whole answer has the fields of a chat.completion", async (t) => {
  await t.loadTiny();
  const completion = await t.chat(greedy("Hello", 5));
  const { id, object, created, model, choices, usage } = completion;
  assert.equal(object, "chat.completion");
  assert.match(id, /^chatcmpl-./);
  assert.ok(isRecent(created), `created ${created}`);
  assert.ok(typeof model === "string" && model.length > 0);
  assert.equal(choices.length, 1);
  const { index, message, finish_reason, logprobs } = choices[0];
  assert.deepEqual({ index, finish_reason, logprobs }, { index: 0, finish_reason: "length", logprobs: null });
  assert.equal(message.role, "assistant");
  assert.equal(typeof message.content, "string");
  assert.equal(message.refusal, null);
  assert.deepEqual(Object.keys(usage).toSorted(), ["completion_tokens", "completion_tokens_details", "prompt_tokens", "prompt_tokens_details", "total_tokens"]);
});

test("a stream has the role first, the finish_reason last and one id", async (t) => {
  await t.loadTiny();
  const chunks = await t.chat(greedy("Hello", 5, { stream: true }));
  assert.ok(chunks.every((chunk) => chunk.object === "chat.completion.chunk"));
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  assert.equal(chunks[0].choices[0].delta.role, "assistant");
  const reasons = chunks.map((chunk) => chunk.choices[0].finish_reason);
  assert.equal(reasons.at(-1), "length");
  assert.ok(reasons.slice(0, -1).every((reason) => reason === null));
});

test("the usage comes last, and only where it was asked for", async (t) => {
  await t.loadTiny();
  const without = await t.chat(greedy("Hello", 5, { stream: true }));
  assert.ok(without.every((chunk) => (chunk.usage ?? null) === null && chunk.choices.length === 1));
  const chunks = await t.chat(greedy("Hello", 5, { stream: true, stream_options: { include_usage: true } }));
  const last = chunks.at(-1);
  assert.deepEqual(last.choices, []);
  assert.equal(last.usage.completion_tokens, 5);
  // The first stream has left the prompt in the attention cache, for this one and the next.
  const { usage } = await t.chat(greedy("Hello", 5));
  assert.deepEqual(last.usage, usage);
});

test("content may be a list of text parts, each a line, and null means the default", async (t) => {
  await t.loadTiny();
  const plain = await t.chat(greedy("Hello\n world", 6));
  const parts = [
    { type: "text", text: "Hello" },
    { type: "text", text: " world" },
  ];
  const { choices } = await t.chat(greedy(parts, 6, { top_p: null, stop: null, seed: null, presence_penalty: null }));
  assert.equal(choices[0].message.content, plain.choices[0].message.content);
});

test("what the model thought of tokens is the same on GPU and CPU, whole and streamed", async (t) => {
  const asked = greedy("Hello", 6, { logprobs: true, top_logprobs: 3, logit_bias: { 72: 2 } });
  const told = [];
  for (const device of [t.device, "cpu"]) {
    await t.loadTiny({ device });
    const { message, logprobs } = (await t.chat(asked)).choices[0];
    const plain = await t.chat(greedy("Hello", 6, { logit_bias: { 72: 2 } }));
    assert.equal(message.content, plain.choices[0].message.content, "telling changes nothing");
    assert.equal(logprobs.content.length, 6);
    const bytes = logprobs.content.flatMap((token) => token.bytes);
    assert.equal(new TextDecoder().decode(new Uint8Array(bytes)), message.content);
    for (const { logprob, top_logprobs } of logprobs.content) {
      assert.equal(top_logprobs.length, 3);
      const sorted = top_logprobs.map((top) => top.logprob).toSorted((a, b) => b - a);
      assert.deepEqual(top_logprobs.map((top) => top.logprob), sorted);
      assert.ok(logprob <= sorted[0] && sorted[0] < 0 && Math.exp(sorted[0]) + Math.exp(sorted[1]) < 1);
    }
    const chunks = await t.chat({ ...asked, stream: true });
    const streamed = chunks.flatMap(({ choices }) => choices[0].logprobs?.content ?? []);
    assert.deepEqual(streamed.map(({ token }) => token), logprobs.content.map(({ token }) => token));
    told.push(logprobs.content.map(({ logprob }) => logprob));
    await t.lab("unload");
  }
  const off = Math.max(...told[0].map((logprob, i) => Math.abs(logprob - told[1][i])));
  assert.ok(off < 0.2, `GPU and CPU differ by ${off}`);
});
