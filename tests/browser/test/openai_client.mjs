// Code that was written for a hosted API: its own client, one changed line, and a model in the tab.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { root, TINY, TINY_OPTIONS } from "../context.mjs";
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
