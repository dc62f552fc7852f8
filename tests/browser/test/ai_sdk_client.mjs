// Code that was written for a hosted API, on the AI SDK: one changed line, and a model in the tab.
import assert from "node:assert/strict";
import { adopt, CALLS, EXAMPLES, isEvent, isIdleSoon } from "../clients.mjs";
import { REAL } from "../context.mjs";
import { test } from "../suite.mjs";

const HOSTED = "  apiKey: process.env.PROVIDER_API_KEY,";
const LOCAL = "  fetch: window.model.fetch,";
const adopted = (t) => adopt(t, "ai_sdk", HOSTED, LOCAL);

test("chats and streams, is stopped in the middle, and told what was wrong", async (t) => {
  await t.loadTiny();
  const call = await adopted(t);
  const { text, finishReason, usage, modelId } = await call("answer", "Hello");
  assert.ok(text.length > 0);
  assert.equal(finishReason, "length");
  assert.equal(usage.outputTokens, 12);
  assert.equal(modelId, "chat-large");
  const streamed = await call("streamed", "Hello");
  assert.equal(streamed.pieces.join(""), text);
  assert.ok(streamed.pieces.length > 1, "in pieces");
  assert.equal(streamed.finishReason, "length");
  assert.equal(streamed.usage.inputTokens, usage.inputTokens);
  assert.ok(streamed.usage.inputTokenDetails.cacheReadTokens > 0, "the prompt was read before");

  assert.deepEqual(await call("aborted", "Tell me everything"), { last: "abort", pieces: 3 });
  await isIdleSoon(t);
  const refused = await call("refused", { temperature: 3 });
  assert.equal(refused.isApiCallError, true);
  assert.equal(refused.statusCode, 400);
  assert.equal(refused.isRetryable, false);
  assert.match(refused.message, /temperature/);
  assert.match(refused.requestId, /^req_/);
  const { message, ...others } = refused.error;
  assert.equal(message, refused.message);
  assert.deepEqual(others, { type: "invalid_request_error", param: "temperature", code: "decimal_above_max_value" });
  const long = await call("refused", { prompt: "long ".repeat(2000) });
  assert.equal(long.error.code, "context_length_exceeded");
  assert.equal((await call("answer", "Hello")).text, text, "nothing of it holds up what comes next");
});

test("makes vectors of texts", async (t) => {
  await t.load(`${t.host.origin}/golden/tiny/bert/`);
  const call = await adopted(t);
  const { embeddings, tokens } = await call("embedded", ["the cat", "a dog", "the cat"]);
  const [a, b, again] = embeddings;
  assert.equal(a.length, 32);
  assert.deepEqual(a, again);
  assert.notDeepEqual(a, b);
  assert.ok(tokens > 0);
});

test("gets objects as a schema has them, and calls that must be made", async (t) => {
  await t.loadTiny({ chatTemplate: CALLS });
  const call = await adopted(t);
  const { objects, partials } = await call("structured", "Hello", 2);
  assert.equal(objects.length, 3);
  objects.forEach(isEvent);
  assert.ok(partials > 1, "the object grows");
  const [{ toolName, input }] = await call("required", "Hello");
  assert.equal(toolName, "add_event");
  isEvent(input);
});

test("calls a tool, and answers by what it says", { seconds: 300 }, async (t) => {
  await t.load(t.url(REAL), { device: "cpu", chatTemplate: EXAMPLES });
  const call = await adopted(t);
  const { reasons, calls, text, streamed, streamedText } = await call("called", "What is the weather like in Oslo?");
  assert.deepEqual(reasons, ["tool-calls", "stop"]);
  assert.deepEqual(calls, [{ toolName: "get_weather", input: { city: "Oslo" } }]);
  assert.match(text, /21 degrees.*Oslo/);
  assert.deepEqual(streamed, [{ city: "Oslo" }]);
  assert.equal(streamedText, text);
});
