// The OpenAI-compatible server's own tests: a fault that does not happen would make every test that relies on it pass.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { answerTo, OpenAiServer, vectorOf } from "./openai.mjs";

let server;
before(async () => {
  server = await new OpenAiServer({ apiKey: "k" }).start();
});
after(() => server.stop());
beforeEach(() => server.clear());

const chat = { model: "far-1", messages: [{ role: "user", content: "Hello 🦙" }] };
const post = (path, body, init = {}) =>
  fetch(server.baseURL + path, {
    method: "POST",
    headers: { authorization: "Bearer k", "content-type": "application/json" },
    body: JSON.stringify(body),
    ...init,
  });
const streamed = async (body) => (await (await post("/chat/completions", { ...body, stream: true })).text()).trim().split("\n\n");

test("an answer is of the whole request, streamed or not", async () => {
  const { choices } = await (await post("/chat/completions", chat)).json();
  assert.equal(choices[0].message.content, answerTo(chat));
  assert.match(answerTo(chat), /^[0-9a-f]{12} 🦙 olleH$/);
  assert.notEqual(answerTo({ ...chat, temperature: 1 }), answerTo(chat));
  assert.equal(answerTo({ messages: chat.messages, model: "far-1" }), answerTo(chat), "whatever the order");
  const events = await streamed(chat);
  assert.equal(events.pop(), "data: [DONE]");
  const text = events.map((event) => JSON.parse(event.replace(/^data: /, "")).choices[0].delta.content ?? "").join("");
  assert.equal(text, answerTo({ ...chat, stream: true }));
  const { data } = await (await post("/embeddings", { model: "far-1", input: ["a", "b"] })).json();
  assert.deepEqual(data.map(({ embedding }) => embedding), [vectorOf("a"), vectorOf("b")]);
});

test("every request is counted with all that it says, preflights too", async () => {
  await fetch(`${server.baseURL}/models`, { method: "OPTIONS" });
  await (await post("/chat/completions", chat)).text();
  assert.deepEqual(server.log.map(({ method, path }) => `${method} ${path}`), ["OPTIONS /v1/models", "POST /v1/chat/completions"]);
  assert.equal(server.requests.length, 1);
  assert.deepEqual(server.requests[0].body, chat);
  assert.equal(server.requests[0].headers.authorization, "Bearer k");
});

test("without the key nothing is answered", async () => {
  const response = await post("/chat/completions", chat, { headers: {} });
  assert.equal(response.status, 401);
  assert.equal((await response.json()).error.code, "invalid_api_key");
});

test("faults happen as often as asked", async () => {
  server.fail({ kind: "status", status: 429, headers: { "retry-after": "2" }, times: 1 });
  const response = await post("/chat/completions", chat);
  assert.deepEqual([response.status, response.headers.get("retry-after")], [429, "2"]);
  assert.equal((await post("/chat/completions", chat)).status, 200);
  server.fail({ kind: "refuse", times: 1 });
  await assert.rejects(post("/chat/completions", chat));
  server.fail({ kind: "page", times: 1 });
  assert.match((await post("/chat/completions", chat)).headers.get("content-type"), /html/);
  server.fail({ kind: "redirect", location: "/elsewhere", times: 1 });
  assert.equal((await post("/chat/completions", chat, { redirect: "manual" })).status, 307);
  assert.throws(() => server.fail({ kind: "earthquake" }), /no fault "earthquake"/);
});

test("streams break off, end early, fail and wait", async () => {
  server.fail({ kind: "cut", after: 2, times: 1 });
  await assert.rejects(streamed(chat));
  assert.equal(server.requests.at(-1).events, 2);
  server.fail({ kind: "end", after: 2, times: 1 });
  assert.equal((await streamed(chat)).length, 2);
  server.fail({ kind: "error", after: 1, error: { message: "no" }, times: 1 });
  assert.equal((await streamed(chat)).at(-1), 'data: {"error":{"message":"no"}}');
  server.fail({ kind: "hold", after: 1, times: 1 });
  const response = await post("/chat/completions", { ...chat, stream: true });
  const reader = response.body.getReader();
  await reader.read();
  const entry = server.requests.at(-1);
  assert.equal(entry.events, 1);
  await reader.cancel();
  while (!entry.isLeft) await new Promise((resolve) => setTimeout(resolve, 5));
  server.fail({ kind: "cut", after: 1, isHeld: true, times: 1 });
  const held = (await post("/chat/completions", { ...chat, stream: true })).body.getReader();
  assert.match(Buffer.from((await held.read()).value).toString(), /^data: /);
  server.release();
  await assert.rejects(held.read());
});
