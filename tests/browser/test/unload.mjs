// After `unload`: requests are refused, what ran has ended, and a new load works.
import assert from "node:assert/strict";
import { greedy, PLAIN_TEMPLATE, REAL, TINY_OPTIONS } from "../context.mjs";
import { test } from "../suite.mjs";

test("refuses requests afterwards, twice does no harm, and a new load works", async (t) => {
  await t.loadTiny();
  const first = await t.chat(greedy("Hello", 6));
  assert.equal((await t.lab("unload")).error, undefined);
  assert.equal((await t.lab("unload")).error, undefined);
  const error = await t.chatError(greedy("Hello", 6));
  assert.equal(error.code, "invalid_request", JSON.stringify(error));
  assert.match(error.message, /unload/);
  await t.loadTiny();
  assert.deepEqual((await t.chat(greedy("Hello", 6))).choices, first.choices);
});

test("ends a stream that runs", async (t) => {
  // The tiny model would be done before.
  await t.load(t.url(REAL), { chatTemplate: PLAIN_TEMPLATE });
  const error = await t.page.evaluate(async (request) => {
    const running = window.lab.chat(request);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await window.lab.unload();
    return (await running).error;
  }, greedy("Once upon a time, there was a", 400, { stream: true }));
  assert.equal(error?.name, "AbortError");
});

test("two models live side by side", async (t) => {
  await t.loadTiny();
  const expected = await t.chat(greedy("Hello", 6));
  const [one, two] = await t.page.evaluate(
    async (url, options, request) => {
      const models = await Promise.all([window.lab.puna.load(url, options), window.lab.puna.load(url, options)]);
      const answers = await Promise.all(models.map((model) => model.chat.completions.create(request)));
      await Promise.all(models.map((model) => model.unload()));
      return answers.map((answer) => answer.choices[0].message.content);
    },
    `${t.host.origin}/golden/llama-256/llama-256-Q4_1.gguf`,
    { device: t.device, ...TINY_OPTIONS },
    greedy("Hello", 6),
  );
  assert.equal(one, expected.choices[0].message.content);
  assert.equal(two, one);
});
