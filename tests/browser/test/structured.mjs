// Answers that are held to a schema, an expression or a grammar, whatever the model would rather say.
import assert from "node:assert/strict";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { CALLS } from "../clients.mjs";
import { greedy, REAL } from "../context.mjs";
import { SCHEMAS } from "../schemas.mjs";
import { test } from "../suite.mjs";

const messages = [{ role: "user", content: "Hello" }];
const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
const named = (schema) => ({ type: "json_schema", json_schema: { name: "it", schema } });
const text = (completion) => completion.choices[0].message.content;

/** Its only choices are a constant's. */
const IS_ONE = /^const|^null|^empty/;

/**
 * `each` answers under each of the schemas, at a high temperature: all must be JSON, and what their schema says, by the word of a
 * validator that has nothing to do with what held them to it.
 */
async function generate(t, each, more) {
  const failures = [];
  let tokens = 0;
  const schemas = Object.entries(SCHEMAS);
  for (const [name, schema] of schemas) {
    const validate = ajv.compile(schema);
    const { choices, usage } = await t.chat({
      messages,
      temperature: 1.5,
      seed: 7,
      n: each,
      max_tokens: 400,
      response_format: named(schema),
      ...more,
    });
    tokens += usage.completion_tokens;
    assert.equal(choices.length, each);
    for (const { message, finish_reason } of choices) {
      if (finish_reason !== "stop") failures.push(`${name}: ended by ${finish_reason}`);
      try {
        if (!validate(JSON.parse(message.content))) failures.push(`${name}: ${message.content}: ${ajv.errorsText(validate.errors)}`);
      } catch (error) {
        failures.push(`${name}: ${error.message}: ${message.content}`);
      }
    }
    const different = new Set(choices.map(({ message }) => message.content)).size;
    if (each > 1 && different === 1 && !IS_ONE.test(name)) failures.push(`${name}: every answer is ${choices[0].message.content}`);
  }
  assert.deepEqual(failures, []);
  console.log(`        ${schemas.length * each} answers, ${tokens} tokens`);
}

test("five hundred answers of a model that knows nothing are all valid", { seconds: 300 }, async (t) => {
  assert.equal(Object.keys(SCHEMAS).length, 50);
  await t.loadTiny({ device: "cpu" });
  await generate(t, 10, {});
});

test("and those that are drawn on the device", { seconds: 300 }, async (t) => {
  await t.loadTiny();
  await generate(t, 1, {});
});

test("five hundred answers of a real model are all valid", { seconds: 1800, full: true }, async (t) => {
  await t.load(t.url(REAL), { device: "cpu" });
  await generate(t, 10, { messages: [{ role: "user", content: "Give me an example, as JSON." }] });
});

test("expressions and grammars hold whole texts, in chats and in completions, streamed or not", async (t) => {
  await t.loadTiny();
  const held = [
    [{ regex: "(yes|no)(, [a-z]{3,9}){2}\\." }, /^(yes|no)(, [a-z]{3,9}){2}\.$/],
    [{ grammar: { syntax: "regex", definition: "[0-9]{4}-[0-9]{2}" } }, /^[0-9]{4}-[0-9]{2}$/],
    [{ grammar: { syntax: "lark", definition: 'start: "<" WORD ("," WORD)~2 ">"\nWORD: /[a-d]{1,3}/' } }, /^<[a-d]{1,3}(,[a-d]{1,3}){2}>$/],
    [{ grammar: { syntax: "gbnf", definition: 'root ::= "(" root ")" | [0-9] [0-9]\n' } }, /^\(*[0-9]{2}\)*$/],
  ];
  for (const [puna, expected] of held) {
    const request = { messages, temperature: 1.2, seed: 3, max_tokens: 100, puna };
    const whole = await t.chat(request);
    assert.match(text(whole), expected);
    assert.equal(whole.choices[0].finish_reason, "stop", "where nothing may follow, it ends");
    const chunks = await t.chat({ ...request, stream: true });
    assert.equal(chunks.map(({ choices }) => choices[0].delta.content ?? "").join(""), text(whole));
    const { choices } = await t.page.evaluate((body) => window.model.completions.create(body), { prompt: "Hello", temperature: 1.2, seed: 3, max_tokens: 100, n: 2, puna });
    assert.equal(choices.length, 2);
    for (const choice of choices) assert.match(choice.text, expected);
  }
  assert.deepEqual(JSON.parse(text(await t.chat(greedy("Hello", 50, { response_format: named({ const: { a: [] } }) })))), { a: [] });
});

test("what the model thought is told of every token, and what it is not allowed to say counts as before", async (t) => {
  await t.loadTiny();
  const asked = { messages, temperature: 1.2, seed: 5, max_tokens: 40, puna: { regex: "[a-z ]{20,25}" }, frequency_penalty: 0.5, logit_bias: { 72: 2 } };
  const plain = await t.chat(asked);
  const told = await t.chat({ ...asked, logprobs: true, top_logprobs: 2 });
  assert.equal(text(told), text(plain), "the device and the processor draw alike");
  assert.equal(told.choices[0].logprobs.content.length, told.usage.completion_tokens);
  assert.match(text(plain), /^[a-z ]{20,25}$/);
});

const TOOLS = [
  { type: "function", function: { name: "get_weather", parameters: { type: "object", properties: { city: { enum: ["Oslo", "Lima"] }, days: { type: "integer", minimum: 1, maximum: 9 } }, required: ["city", "days"], additionalProperties: false } } },
  { type: "function", function: { name: "stop" } },
];
const aOrB = named({ enum: ["a", "b"] });

test("a tool that must be called is called, with arguments as its schema has them", async (t) => {
  await t.loadTiny({ chatTemplate: CALLS });
  const valid = ajv.compile(TOOLS[0].function.parameters);
  const ask = async (more) => (await t.chat({ messages, tools: TOOLS, temperature: 1.5, max_tokens: 200, ...more })).choices[0];
  const kinds = new Set();
  for (let seed = 0; seed < 5; seed += 1) {
    const required = await ask({ tool_choice: "required", parallel_tool_calls: false, seed });
    assert.equal(required.finish_reason, "tool_calls");
    assert.equal(required.message.content, null);
    assert.equal(required.message.tool_calls.length, 1);
    const named = await ask({ tool_choice: { type: "function", function: { name: "get_weather" } }, seed });
    const [{ function: called }, ...others] = named.message.tool_calls;
    assert.equal(called.name, "get_weather");
    assert.ok(valid(JSON.parse(called.arguments)), called.arguments);
    assert.deepEqual(others, [], "once");
    const allowed = { type: "allowed_tools", allowed_tools: { mode: "required", tools: [{ type: "function", function: { name: "stop" } }] } };
    const stop = await ask({ tool_choice: allowed, parallel_tool_calls: false, seed });
    assert.deepEqual(stop.message.tool_calls.map((call) => call.function), [{ name: "stop", arguments: "{}" }]);
    const either = await ask({ response_format: aOrB, seed, parallel_tool_calls: false });
    if (either.message.tool_calls === undefined) assert.match(either.message.content, /^"(a|b)"$/);
    kinds.add(either.finish_reason);
  }
  assert.deepEqual([...kinds].toSorted(), ["stop", "tool_calls"], "a model that may do either does both");
  const chunks = await t.chat({ messages, tools: TOOLS, tool_choice: "required", parallel_tool_calls: false, stream: true, max_tokens: 200 });
  assert.equal(chunks.at(-1).choices[0].finish_reason, "tool_calls");
  const [first, ...pieces] = chunks.flatMap(({ choices }) => choices[0].delta.tool_calls ?? []);
  assert.deepEqual([first.index, first.type, first.function.arguments], [0, "function", ""]);
  assert.ok(pieces.length > 0 && pieces.every((piece) => piece.index === 0 && piece.id === undefined));
  const streamed = JSON.parse(pieces.map((piece) => piece.function.arguments).join(""));
  assert.ok(first.function.name === "stop" ? Object.keys(streamed).length === 0 : valid(streamed), JSON.stringify(streamed));
});

test("what does not compile is refused with its place, and harms nobody", async (t) => {
  await t.loadTiny();
  const free = text(await t.chat(greedy("Hello", 4)));
  const schema = (schema) => ({ response_format: named(schema) });
  for (const [more, param, says, pointer] of [
    [schema({ type: "object", properties: { a: { type: "array", uniqueItems: true } } }), "response_format.json_schema.schema", /uniqueItems/, "/properties/a"],
    [schema({ type: "strin" }), "response_format.json_schema.schema", /strin/, ""],
    [{ puna: { regex: "a(b" } }, "puna.regex", /unclosed group/],
    [{ puna: { grammar: { syntax: "lark", definition: "start: foo" } } }, "puna.grammar.definition", /unknown name: "foo"/],
    [{ puna: { grammar: { syntax: "gbnf", definition: 'root ::= "a\n' } } }, "puna.grammar.definition", /line 1, column 12: expected '"'/],
    // So deep that the module's stack has no room.
    [{ puna: { regex: `${"(".repeat(100_000)}a${")".repeat(100_000)}` } }, "puna.regex", /./],
    [{ puna: { grammar: { syntax: "lark", definition: `start: ${"(".repeat(100_000)}"a"${")".repeat(100_000)}` } } }, null, /./],
  ]) {
    for (const stream of [false, true]) {
      const error = await t.chatError({ messages, max_tokens: 20, stream, ...more });
      const shown = JSON.stringify(error).slice(0, 2000);
      assert.equal(error.code, "invalid_request", shown);
      assert.equal(error.name, "InvalidRequestError", shown);
      if (param !== null) assert.equal(error.param, param, shown);
      if (pointer !== undefined) assert.equal(error.details.pointer, pointer, shown);
      assert.match(error.message, says, shown);
    }
    assert.match(text(await t.chat({ messages, max_tokens: 20, puna: { regex: "yes|no" } })), /^(yes|no)$/);
    assert.equal(text(await t.chat(greedy("Hello", 4))), free);
  }
});

test("where the module can't be fetched the request fails, and the next one tries again", async (t) => {
  await t.loadTiny();
  t.site.faults.add("/package/puna_grammar.wasm", { kind: "status", status: 503, times: 1 });
  const asked = { messages, max_tokens: 20, puna: { regex: "yes|no" } };
  const error = await t.chatError(asked);
  assert.equal(error.code, "network", JSON.stringify(error));
  assert.match(error.message, /puna_grammar\.wasm.*503/);
  assert.match(text(await t.chat(asked)), /^(yes|no)$/);
  assert.ok(text(await t.chat(greedy("Hello", 4))).length > 0);
});
