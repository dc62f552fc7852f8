// Requests that are refused: by the field's name, with class and code kept across the worker, and without harm.
import assert from "node:assert/strict";
import { greedy } from "../context.mjs";
import { test } from "../suite.mjs";

const message = { role: "user", content: "Hello" };

/** What is wrong with the request, and the field that the error must name. */
const REFUSED = [
  [{}, "messages"],
  [{ messages: [] }, "messages"],
  [{ messages: "Hello" }, "messages"],
  [{ messages: [message, { role: "wizard", content: "x" }] }, "messages[1].role"],
  [{ messages: [{ role: "user" }] }, "messages[0].content"],
  [{ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:," } }] }] }, "messages[0].content[0].type"],
  [{ messages: [message], temperature: "hot" }, "temperature"],
  [{ messages: [message], temperature: -1 }, "temperature"],
  [{ messages: [message], top_p: 2 }, "top_p"],
  [{ messages: [message], max_tokens: 0 }, "max_tokens"],
  [{ messages: [message], max_tokens: 1.5 }, "max_tokens"],
  [{ messages: [message], n: 0 }, "n"],
  [{ messages: [message], tools: [{ type: "function", function: { name: "f" } }] }, "tools"],
  [{ messages: [message], tools: [{ type: "function", function: { name: "f g" } }] }, "tools[0].function.name"],
  [{ messages: [message], response_format: {} }, "response_format.type"],
  [{ messages: [message], response_format: { type: "json_schema", json_schema: { name: "a", schema: { type: "strin" } } } }, "response_format.json_schema.schema"],
  [{ messages: [message], tool_choice: "required" }, "tool_choice"],
  [{ messages: [message], puna: { regexp: "a" } }, "puna.regexp"],
  [{ messages: [message], top_logprobs: 3 }, "top_logprobs"],
  [{ messages: [message], temprature: 1 }, "temprature"],
];

test("each is an InvalidRequestError that names its field, and the next request is answered", async (t) => {
  await t.loadTiny();
  const expected = await t.chat(greedy("Hello", 4));
  for (const [request, field] of REFUSED) {
    for (const stream of [false, true]) {
      const error = await t.chatError({ ...request, stream });
      const shown = `${JSON.stringify(request)}: ${JSON.stringify(error)}`;
      assert.equal(error.name, "InvalidRequestError", shown);
      assert.equal(error.code, "invalid_request", shown);
      assert.equal(error.type, "invalid_request_error", shown);
      assert.ok(error.isPunaError && error.isError, shown);
      assert.equal(error.param, field, shown);
      assert.ok(error.message.includes(field), shown);
    }
  }
  const next = await t.chat(greedy("Hello", 4));
  assert.equal(next.choices[0].message.content, expected.choices[0].message.content);
});

test("a prompt that is too long is refused with both numbers", async (t) => {
  const { info } = await t.loadTiny();
  const error = await t.chatError(greedy("Hello ".repeat(info.contextLength * 2), 4));
  assert.equal(error.code, "context_length_exceeded");
  assert.equal(error.name, "InvalidRequestError");
  assert.match(error.message, new RegExp(`\\b${info.contextLength}\\b`), "the context's length");
  const numbers = error.message.match(/\d+/g).map(Number);
  assert.ok(numbers.some((number) => number > info.contextLength), `the prompt's length: ${error.message}`);
  const next = await t.chat(greedy("Hello", 4));
  assert.ok(next.usage.completion_tokens > 0);
});

test("an answer that reaches the end of the context ends with finish_reason length", async (t) => {
  await t.loadTiny({ contextLength: 32 });
  const { choices, usage } = await t.chat({ messages: [message], temperature: 0 });
  assert.ok(usage.total_tokens <= 32, `${usage.total_tokens} tokens in a context of 32`);
  assert.equal(choices[0].finish_reason, usage.total_tokens === 32 ? "length" : "stop");
});
