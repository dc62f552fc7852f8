// Adapters (LoRA): loaded with a model, switched from request to request.
import assert from "node:assert/strict";
import { adapterFiles } from "../adapter_files.mjs";
import { bytesOf, greedy, TINY } from "../context.mjs";
import { test } from "../suite.mjs";

const PROMPT = "Once upon a time there was a cat who sat on";
const asked = (adapters, more = {}) => greedy(PROMPT, 24, { ...(adapters && { puna: { adapters } }), ...more });
const textOf = ({ choices }) => choices[0].message.content;
const knownOf = ({ usage }) => usage.prompt_tokens_details.cached_tokens;

function adaptersOf(t, names) {
  for (const [name, content] of Object.entries(adapterFiles())) t.host.put(`/adapters/${name}`, content);
  const source = (name) => `${t.host.origin}/adapters/${name}`;
  return names.map((name) => ({ source: source(name), name: name.replace(/\/$/, ""), scale: 0 }));
}

test("adapters of both origins add the same, and requests switch them", async (t) => {
  const adapters = adaptersOf(t, ["first.gguf", "first/", "second/"]);
  const { info } = await t.loadTiny({ adapters });
  assert.deepEqual(
    info.adapters.map(({ name, rank, targets }) => [name, rank, targets]),
    [["first.gguf", 4, 5], ["first", 4, 5], ["second", 10, 5]],
  );
  const ask = async (...of) => textOf(await t.chat(asked(...of)));
  const plain = await ask();
  const first = await ask({ "first.gguf": 1 });
  const second = await ask({ second: 1 });
  assert.equal(new Set([plain, first, second]).size, 3, "each speaks otherwise");
  assert.equal(await ask({ first: 1 }), first, "rows that lie otherwise in GGUF");
  assert.equal(await ask({ first: 0.5, "first.gguf": 0.5 }), first, "halves of the same add up");
  assert.equal(await ask({ first: 1, "first.gguf": -1 }), plain, "and what is taken away is gone");
  assert.equal(await ask(), plain);
  // Several at once: each as alone.
  const all = await Promise.all([ask(), ask({ first: 1 }), ask({ second: 1 }), ask({ first: 1 })]);
  assert.deepEqual(all, [plain, first, second, first]);
  // By default, and by name in place of the model's.
  await t.page.evaluate(() => window.model.setAdapters({ second: 1 }));
  assert.equal(await ask(), second);
  assert.equal(await ask({}), plain, "a request says otherwise");
  const byName = await t.page.evaluate((request) => window.model.chat.completions.create(request), {
    ...asked(),
    model: "first",
  });
  // It was loaded switched off.
  assert.equal(textOf(byName), plain);
  assert.equal(byName.model, "first");
  const error = await t.chatError(asked({ third: 1 }));
  assert.deepEqual([error.code, error.details.param], ["invalid_request", "puna.adapters.third"]);
  assert.match(error.message, /no adapter 'third'; there are first.gguf, first, second/);
});

test("what one adapter has read is of no use to another", async (t) => {
  await t.loadTiny({ adapters: adaptersOf(t, ["first.gguf", "second/"]) });
  const ask = async (adapters) => knownOf(await t.chat(asked(adapters, { max_tokens: 1 })));
  assert.equal(await ask({ second: 1 }), 0);
  assert.equal(await ask({ "first.gguf": 1 }), 0, "other keys and values");
  assert.equal(await ask({ second: 0.5 }), 0);
  assert.equal(await ask(), 0);
  const known = await ask({ second: 1 });
  assert.ok(known > 10, `${known} tokens were known`);
  assert.equal(await ask({ "first.gguf": 1 }), known);
  assert.equal(await ask({}), known);
});

test("adapters are kept with the model, and refused before it is downloaded", async (t) => {
  const [first, second, other] = adaptersOf(t, ["first.gguf", "second/", "other.gguf"]);
  const twice = await t.loadError(t.url(TINY), { adapters: [first, first] });
  assert.match(twice.message, /two are called "first.gguf"/);
  const missing = { ...first, source: `${t.host.origin}/adapters/none.gguf` };
  const error = await t.loadError(t.url(TINY), { adapters: [missing] });
  assert.deepEqual([error.code, error.details.status], ["network", 404]);
  assert.equal(t.host.sentBytes(TINY.path), 0, "nothing of the model was asked for");
  const refused = await t.loadError(t.url(TINY), { adapters: [other] });
  assert.equal(refused.code, "unsupported_model");
  assert.match(refused.message, /adapter other.gguf.*"qwen2".*"llama"/);
  assert.match((await t.loadError(first.source)).message, /is an adapter.*among its adapters/);

  await t.loadTiny({ adapters: [first, second] });
  const before = textOf(await t.chat(asked({ second: 1 })));
  await t.openPage();
  t.host.clearLog();
  const again = await t.loadTiny({ adapters: [first, second] });
  assert.equal(bytesOf(again).networkBytes, 0);
  assert.deepEqual(t.host.log, [], "all of it is at hand");
  assert.equal(textOf(await t.chat(asked({ second: 1 }))), before);
});
