// Code that was written for Anthropic's API: its own client, one changed line, and a model in the tab.
import assert from "node:assert/strict";
import { adopt, CALLS, EXAMPLES } from "../clients.mjs";
import { REAL } from "../context.mjs";
import { test } from "../suite.mjs";

const HOSTED = "const client = new Anthropic({ apiKey: process.env.ANTHROPIC_API_KEY });";
const LOCAL = 'const client = new Anthropic({ apiKey: "none", dangerouslyAllowBrowser: true, fetch: model.fetch });';
const adopted = (t) => adopt(t, "anthropic", HOSTED, LOCAL);

test("chats and streams", async (t) => {
  await t.loadTiny();
  const call = await adopted(t);
  const { text, message } = await call("answer", "Hello");
  assert.ok(text.length > 0);
  assert.match(message.id, /^msg_/);
  assert.equal(message.type, "message");
  assert.equal(message.model, "claude-sonnet-4-5");
  assert.equal(message.stop_reason, "max_tokens");
  assert.equal(message.usage.output_tokens, 12);
  const { input_tokens, cache_read_input_tokens } = message.usage;
  assert.equal(await call("counted", "Hello"), input_tokens + cache_read_input_tokens);
  const streamed = await call("streamed", "Hello");
  assert.equal(streamed.pieces.join(""), text);
  assert.ok(streamed.pieces.length > 1, "in pieces");
  assert.deepEqual(streamed.message.content, message.content);
  assert.equal(streamed.message.usage.output_tokens, 12);
  const stopped = await call("answer", "Hello", { stop_sequences: [text.slice(3, 5)] });
  assert.equal(stopped.message.stop_reason, "stop_sequence");
  assert.equal(stopped.message.stop_sequence, text.slice(3, 5));
  assert.equal(stopped.text, text.slice(0, text.indexOf(text.slice(3, 5))));
});

test("is stopped in the middle, and told what was wrong", async (t) => {
  await t.loadTiny();
  const call = await adopted(t);
  assert.equal(await call("left", "Hello"), 5);
  assert.deepEqual(await call("aborted", "Tell me everything"), { pieces: 3, isAbort: true });
  const refused = await call("refused", { temperature: 3 });
  assert.equal(refused.isBad, true);
  assert.equal(refused.status, 400);
  assert.match(refused.requestID, /^req_/);
  assert.equal(refused.sent.type, "error");
  assert.equal(refused.sent.error.type, "invalid_request_error");
  assert.match(refused.sent.error.message, /temperature.*<= 1/);
  const long = await call("refused", { messages: [{ role: "user", content: "long ".repeat(2000) }] });
  assert.match(long.sent.error.message, /maximum context length is 512/);
  assert.ok((await call("answer", "Hello")).text.length > 0, "nothing of it holds up what comes next");
});

test("gets JSON as a schema has it, and calls that must be made", async (t) => {
  await t.loadTiny({ chatTemplate: CALLS });
  const call = await adopted(t);
  const isEvent = ({ name, day, ...rest }) => {
    assert.ok(typeof name === "string" && [...name].length <= 12, name);
    assert.match(day, /^S(atur|un)day$/);
    assert.deepEqual(rest, {});
  };
  isEvent(await call("structured", "Hello"));
  const { content, stop_reason } = await call("required", "Hello");
  assert.equal(stop_reason, "tool_use");
  assert.equal(content.length, 1);
  assert.equal(content[0].name, "add_event");
  isEvent(content[0].input);
  const refused = await call("refused", { output_config: { format: { type: "json_schema", schema: { type: "strin" } } } });
  assert.equal(refused.status, 400);
  assert.match(refused.sent.error.message, /output_config\.format\.schema.*strin/);
});

test("calls a tool, and answers by what it says", { seconds: 300 }, async (t) => {
  await t.load(t.url(REAL), { device: "cpu", chatTemplate: EXAMPLES });
  const call = await adopted(t);
  const { first, second, again } = await call("called", "What is the weather like in Oslo?");
  assert.equal(first.stop_reason, "tool_use", JSON.stringify(first));
  const [{ id, ...called }] = first.content;
  assert.match(id, /^toolu_[a-z0-9]{9}$/);
  assert.deepEqual(called, { type: "tool_use", name: "get_weather", input: { city: "Oslo" } });
  assert.match(second.content[0].text, /21 degrees.*Oslo/);
  assert.deepEqual(again.content[0].input, { city: "Oslo" });
});
