// Code that was written for a hosted API, on LangChain: one changed line, and a model in the tab.
import assert from "node:assert/strict";
import { adopt, CALLS, EXAMPLES, isEvent, isIdleSoon } from "../clients.mjs";
import { REAL } from "../context.mjs";
import { test } from "../suite.mjs";

const HOSTED = "const hosted = { apiKey: process.env.OPENAI_API_KEY };";
const LOCAL = 'const hosted = { apiKey: "none", configuration: { fetch: model.fetch } };';
const adopted = (t) => adopt(t, "langchain", HOSTED, LOCAL);

test("chats and streams, is stopped in the middle, and told what was wrong", async (t) => {
  await t.loadTiny();
  const call = await adopted(t);
  const { content, usage, reason } = await call("answer", "Hello");
  assert.ok(content.length > 0);
  assert.equal(usage.output_tokens, 12);
  assert.equal(reason, "length");
  const streamed = await call("streamed", "Hello");
  assert.equal(streamed.pieces.join(""), content);
  assert.equal(streamed.content, content);
  assert.ok(streamed.pieces.filter((piece) => piece !== "").length > 1, "in pieces");
  assert.equal(streamed.usage.output_tokens, 12);
  assert.equal(streamed.usage.input_tokens, usage.input_tokens);
  assert.ok(streamed.usage.input_token_details.cache_read > 0, "the prompt was read before");
  const responded = await call("responded", "Hello");
  assert.equal(responded.text, content);
  assert.equal(responded.pieces.join(""), content);
  assert.ok(responded.pieces.length > 1, "in pieces");
  assert.equal(responded.usage.output_tokens, 12);
  assert.deepEqual(await call("batched", ["Hello", "Hello"]), [content, content]);

  assert.deepEqual(await call("aborted", "Tell me everything"), { pieces: 3, name: "AbortError" });
  await isIdleSoon(t);
  const refused = await call("refused", { temperature: 3 });
  assert.match(refused.requestID, /^req_/);
  assert.deepEqual(
    { ...refused, requestID: null },
    {
      isBad: true,
      name: "Error",
      status: 400,
      code: "decimal_above_max_value",
      param: "temperature",
      type: "invalid_request_error",
      requestID: null,
    },
  );
  const long = await call("refused", {}, "long ".repeat(2000));
  assert.equal(long.name, "ContextOverflowError");
  assert.equal((await call("answer", "Hello")).content, content, "nothing of it holds up what comes next");
});

test("makes vectors of texts", async (t) => {
  await t.load(`${t.host.origin}/golden/tiny/bert/`);
  const call = await adopted(t);
  const { vectors, query } = await call("embedded", ["the cat", "a dog"]);
  assert.equal(query.length, 32);
  assert.deepEqual(vectors[0], query);
  assert.notDeepEqual(vectors[1], query);
});

test("gets objects as a schema has them", async (t) => {
  await t.loadTiny({ chatTemplate: CALLS });
  const call = await adopted(t);
  const objects = await call("structured", "Hello");
  assert.deepEqual(Object.keys(objects), ["jsonSchema", "functionCalling"]);
  Object.values(objects).forEach(isEvent);
});

test("calls a tool, and answers by what it says", { seconds: 300 }, async (t) => {
  await t.load(t.url(REAL), { device: "cpu", chatTemplate: EXAMPLES });
  const call = await adopted(t);
  const { calls, isToolMessage, answer, streamed } = await call("called", "What is the weather like in Oslo?");
  assert.deepEqual(calls, [{ name: "get_weather", args: { city: "Oslo" } }]);
  assert.equal(isToolMessage, true);
  assert.match(answer, /21 degrees.*Oslo/);
  assert.deepEqual(streamed, calls);
});
