// Code that was written for a hosted API: its own client, one changed line, and a model in the tab.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { REAL, root } from "../context.mjs";
import { test } from "../suite.mjs";

const CODE = path.join(root, "tests/browser/clients/openai.mjs");
const HOSTED = "const client = new OpenAI({ apiKey: process.env.OPENAI_API_KEY });";
const LOCAL = 'const client = new OpenAI({ apiKey: "none", dangerouslyAllowBrowser: true, fetch: model.fetch });';

/** Lines that differ, as a diff has them. */
function diff(before, after) {
  const [a, b] = [before, after].map((text) => text.split("\n"));
  assert.equal(a.length, b.length, "no line is added or removed");
  return a.flatMap((line, i) => (line === b[i] ? [] : [`-${line}`, `+${b[i]}`]));
}

/** Loads the code with its one line changed; `call` calls its functions. */
async function adopt(t) {
  const hosted = fs.readFileSync(CODE, "utf8");
  const local = hosted.replace(HOSTED, LOCAL);
  assert.deepEqual(diff(hosted, local), [`-${HOSTED}`, `+${LOCAL}`]);
  t.site.put("/clients/openai.local.mjs", Buffer.from(local));
  return (name, ...given) =>
    t.page.evaluate(async (name, given) => (await import("/clients/openai.local.mjs"))[name](...given), name, given);
}

test("chats, streams and goes on with texts", async (t) => {
  const { info } = await t.loadTiny();
  const call = await adopt(t);
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

test("is stopped in the middle, and told what was wrong", async (t) => {
  await t.loadTiny();
  const call = await adopt(t);
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
  const call = await adopt(t);
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

/** By examples a small model learns to call a tool. */
const EXAMPLES = `{%- macro call(name, arguments) -%}
<tool_call>{"name": "{{ name }}", "arguments": {{ arguments | tojson }}}</tool_call>
{%- endmacro -%}
Q: What is the weather like in Paris?
A: {{ call("get_weather", {"city": "Paris"}) }}
Result: Paris: 12 degrees, rain
A: It is 12 degrees and it rains in Paris.
Q: Is it warm in Cairo today?
A: {{ call("get_weather", {"city": "Cairo"}) }}
Result: Cairo: 35 degrees, sunny
A: It is 35 degrees and sunny in Cairo.
Q: Weather in Lima?
A: {{ call("get_weather", {"city": "Lima"}) }}
Result: Lima: 18 degrees, fog
A: It is 18 degrees and foggy in Lima.
{% for message in messages -%}
{%- if message.role == "user" -%}
Q: {{ message.content }}
A:
{%- elif message.role == "tool" %}
Result: {{ message.content }}
A:
{%- else %} {{ call(message.tool_calls[0].function.name, message.tool_calls[0].function.arguments) }}
{%- endif -%}
{%- endfor -%}`;

test("calls a tool, and answers by what it says", { seconds: 300 }, async (t) => {
  await t.load(t.url(REAL), { device: "cpu", chatTemplate: EXAMPLES });
  const call = await adopt(t);
  const { message, finish_reason, answer, streamed } = await call("called", "What is the weather like in Oslo?");
  assert.equal(finish_reason, "tool_calls", JSON.stringify(message));
  assert.equal(message.content, null);
  const [{ id, type, function: called }] = message.tool_calls;
  assert.match(id, /^[a-z0-9]{9}$/);
  assert.deepEqual({ type, called }, { type: "function", called: { name: "get_weather", arguments: '{"city":"Oslo"}' } });
  assert.match(answer, /21 degrees.*Oslo/);
  assert.deepEqual(streamed.tool_calls[0].function, called);
});
