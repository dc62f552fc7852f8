// Code that was written for a hosted API: its own client, one changed line, and a model in the tab.
import assert from "node:assert/strict";
import { adopt, CALLS, EXAMPLES, isEvent } from "../clients.mjs";
import { REAL, TINY } from "../context.mjs";
import { test } from "../suite.mjs";

const HOSTED = "const client = new OpenAI({ apiKey: process.env.OPENAI_API_KEY });";
const LOCAL = 'const client = new OpenAI({ apiKey: "none", dangerouslyAllowBrowser: true, fetch: model.fetch });';
const adopted = (t) => adopt(t, "openai", HOSTED, LOCAL);

test("chats, streams and goes on with texts", async (t) => {
  const { info } = await t.loadTiny();
  const call = await adopted(t);
  const text = await call("answer", "Hello");
  assert.ok(text.length > 0);
  const { deltas, usage } = await call("streamed", "Hello");
  assert.equal(deltas.join(""), text);
  assert.ok(deltas.filter((delta) => delta !== "").length > 1, "in pieces");
  assert.equal(usage.completion_tokens, 12);
  assert.ok(usage.prompt_tokens_details.cached_tokens > 0, "the prompt was read before");
  assert.equal(await call("helped", "Hello"), text);
  const both = await call("completed", "Hello");
  assert.equal(both.length, 2);
  assert.equal(both[0], both[1], "greedy");
  assert.ok(both[0].length > 0);
  assert.deepEqual(await call("models"), [info.id]);
});

test("gives responses, which go on from each other", async (t) => {
  await t.loadTiny();
  const call = await adopted(t);
  const { first, second, streamed, whole, counted } = await call("responded", "Hello");
  assert.equal(first.status, "incomplete");
  assert.deepEqual(first.incomplete_details, { reason: "max_output_tokens" });
  assert.ok(first.output_text.length > 0);
  assert.equal(first.usage.output_tokens, 12);
  assert.equal(first.usage.input_tokens, counted.input_tokens);
  assert.equal(first.instructions, "You are a helpful assistant.");
  assert.ok(streamed.length > 1, "in pieces");
  assert.equal(streamed.join(""), first.output_text);
  assert.equal(whole.output_text, first.output_text);
  assert.equal(second.previous_response_id, first.id);
  // Question, answer and all are there again, and were read before.
  const known = first.usage.total_tokens - 1;
  assert.ok(second.usage.input_tokens > known, `${second.usage.input_tokens} of ${known}`);
  assert.ok(second.usage.input_tokens_details.cached_tokens >= known - 3, JSON.stringify(second.usage));
  const { deltas, refused } = await call("respondedBadly", "Hello");
  assert.equal(deltas, 3);
  assert.deepEqual(refused, { isBad: true, status: 400, param: "tools[0]", code: "unsupported_value" });
});

test("gives responses in a form", async (t) => {
  await t.load(t.url(TINY), { chatTemplate: CALLS });
  const call = await adopted(t);
  const { event, calls, second } = await call("respondedInForm", "A party");
  const keys = ["name", "day", "guests"];
  assert.deepEqual(Object.keys(event), keys);
  assert.equal(calls.length, 1);
  assert.equal(calls[0].name, "add_event");
  assert.match(calls[0].call_id, /^call_\w{9}$/);
  assert.deepEqual(Object.keys(JSON.parse(calls[0].arguments)), keys);
  assert.ok(second.usage.output_tokens > 0);
});

test("is stopped in the middle, and told what was wrong", async (t) => {
  await t.loadTiny();
  const call = await adopted(t);
  assert.equal(await call("left", "Hello"), 3);
  assert.equal(await call("aborted", "Tell me everything"), true);
  const refused = await call("refused", { temperature: 3 });
  assert.match(refused.requestID, /^req_/);
  assert.deepEqual(
    { ...refused, requestID: null },
    {
      isBad: true,
      status: 400,
      code: "decimal_above_max_value",
      param: "temperature",
      type: "invalid_request_error",
      requestID: null,
    },
  );
  const long = await call("refused", { messages: [{ role: "user", content: "long ".repeat(2000) }] });
  assert.equal(long.code, "context_length_exceeded");
  assert.equal(long.param, "messages");
  // Nothing of it holds up what comes next.
  assert.ok((await call("answer", "Hello")).length > 0);
});

test("makes vectors of texts, by the same client", async (t) => {
  await t.load(`${t.host.origin}/golden/tiny/bert/`);
  const call = await adopted(t);
  const [a, b, again] = await call("embedded", ["the cat", "a dog", "the cat"]);
  assert.equal(a.length, 32);
  assert.deepEqual(a, again);
  assert.notDeepEqual(a, b);
  const length = Math.hypot(...a);
  assert.ok(Math.abs(length - 1) < 1e-5, `of length ${length}`);
  const refused = await call("refused", {});
  assert.equal(refused.status, 400);
  assert.equal(refused.param, "model");
});

test("gets JSON as a schema has it, and calls that must be made", async (t) => {
  await t.loadTiny({ chatTemplate: CALLS });
  const call = await adopted(t);
  for (const temperature of [0, 2]) (await call("structured", "Hello", temperature)).forEach(isEvent);
  const { message, finish_reason } = await call("required", "Hello");
  assert.equal(finish_reason, "tool_calls");
  assert.equal(message.tool_calls[0].function.name, "add_event");
  isEvent(JSON.parse(message.tool_calls[0].function.arguments));
  const schema = { name: "event", schema: { type: "object", properties: { a: { type: "strin" } } } };
  const refused = await call("refused", { response_format: { type: "json_schema", json_schema: schema } });
  assert.deepEqual([refused.isBad, refused.status, refused.param], [true, 400, "response_format.json_schema.schema"]);
});

test("calls a tool, and answers by what it says", { seconds: 300 }, async (t) => {
  await t.load(t.url(REAL), { device: "cpu", chatTemplate: EXAMPLES });
  const call = await adopted(t);
  const { message, finish_reason, answer, streamed } = await call("called", "What is the weather like in Oslo?");
  assert.equal(finish_reason, "tool_calls", JSON.stringify(message));
  assert.equal(message.content, null);
  const [{ id, type, function: called }] = message.tool_calls;
  assert.match(id, /^[a-z0-9]{9}$/);
  assert.deepEqual({ type, called }, { type: "function", called: { name: "get_weather", arguments: '{"city":"Oslo"}' } });
  assert.match(answer, /21 degrees.*Oslo/);
  assert.deepEqual(streamed.tool_calls[0].function, called);
});
