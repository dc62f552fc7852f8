// A model in the tab and a server elsewhere behind one interface: who is asked, what is sent, and how it ends.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { adopt } from "../clients.mjs";
import { greedy, REAL, textOf, TINY, TINY_OPTIONS } from "../context.mjs";
import { test } from "../suite.mjs";
import { startLlama } from "../../server/llama.mjs";
import { answerTo, OpenAiServer, vectorOf } from "../../server/openai.mjs";

const HOSTED = "const client = new OpenAI({ apiKey: process.env.OPENAI_API_KEY });";
const LOCAL = 'const client = new OpenAI({ apiKey: "none", dangerouslyAllowBrowser: true, maxRetries: 0, fetch: puna.fetch });';
const KEY = "far-key";

/** Runs `work` with a server, and with what makes a client of it in the page, as `window.puna`. */
async function withServer(t, work) {
  const server = await new OpenAiServer({ apiKey: KEY }).start();
  const create = (options) =>
    t.page.evaluate(
      async (options) => {
        const { createClient } = await import("/package/client.js");
        window.puna = createClient(options);
      },
      { ...options, remote: { baseURL: server.baseURL, model: "far-1", apiKey: KEY, headers: { "x-test": "1" }, ...options.remote } },
    );
  try {
    await work(server, create);
  } finally {
    await server.stop();
  }
}

const tiny = (t) => ({ source: t.url(TINY), options: { ...TINY_OPTIONS, device: "cpu", cache: "none" } });
const missing = (t) => ({ source: `${t.host.origin}/golden/nowhere.gguf`, options: { cache: "none" } });

/** Asks for a chat; the answer or the chunks, and the error. After `abortAfter` chunks the signal is aborted, after `leaveAfter` the loop is left. */
const chat = (t, body, leaving = {}) =>
  t.page.evaluate(
    async (body, { abortAfter = Infinity, leaveAfter = Infinity }) => {
      const abort = new AbortController();
      const chunks = (window.seen = []);
      const result = await window.lab.attempt(async () => {
        const answer = await window.puna.chat.completions.create(body, { signal: abort.signal });
        if (!body.stream) return answer;
        for await (const chunk of answer) {
          chunks.push(chunk);
          if (chunks.length >= leaveAfter) break;
          if (chunks.length >= abortAfter) abort.abort();
        }
        return answer.puna;
      });
      // Firefox's protocol gives an object that is there twice but once.
      return JSON.parse(JSON.stringify({ ...result, chunks }));
    },
    body,
    leaving,
  );

/** Waits until the server holds its answer back, and so many chunks of it have been seen. */
async function held(t, server, chunks, answer) {
  let over = null;
  answer.then(({ error }) => (over = error ?? "nothing was held"));
  while (server.requests.at(-1)?.events !== chunks) {
    assert.equal(over, null);
    await sleep(10);
  }
  await t.page.waitForFunction((chunks) => window.seen.length === chunks, {}, chunks);
}

const hello = greedy("Hello 🦙", 8);
const far = (body) => answerTo({ ...body, model: "far-1" });

test("sends nothing, not even a preflight, unless the policy says so", async (t) => {
  await withServer(t, async (server, create) => {
    await create({ local: missing(t) });
    for (const body of [hello, { ...hello, stream: true }]) {
      const { error } = await chat(t, body);
      assert.deepEqual([error.code, error.isPunaError], ["network", true]);
    }
    const answered = await t.page.evaluate(async () => {
      const body = JSON.stringify({ input: "a", messages: [] });
      const answers = ["chat/completions", "responses", "embeddings", "messages"].map((path) => window.puna.fetch(`https://api.example.com/v1/${path}`, { method: "POST", body }));
      return (await Promise.all(answers)).map(({ status, headers }) => [status, headers.get("x-puna-ran-on")]);
    });
    assert.deepEqual(answered, Array(4).fill([500, "local"]));
    await create({ local: tiny(t), policy: "local-first" });
    const { value } = await chat(t, hello);
    assert.deepEqual(value.puna, { ranOn: "local", reason: "policy" });
    const { error } = await chat(t, { ...hello, temperature: 3 });
    assert.equal(error.param, "temperature");
    assert.deepEqual(server.log, []);
    // Only what the model has no room for goes, and is a request with a preflight, which would have been seen.
    const long = greedy("long ".repeat(2000), 8);
    const sent = await chat(t, { ...long, stream: true });
    assert.deepEqual(sent.value, { ranOn: "remote", reason: "context_length_exceeded" });
    assert.equal(textOf(sent.chunks), far({ ...long, stream: true }));
    assert.deepEqual(server.log.map(({ method }) => method), ["OPTIONS", "POST"]);
    assert.equal((await chat(t, hello)).value.puna.ranOn, "local");
    const text = await t.page.evaluate(async () => {
      await window.puna.unload();
      return window.puna.state;
    });
    assert.equal(text, "failed");
  });
});

test("sends what can't be answered here, whole, and the answer comes as it is made", async (t) => {
  await withServer(t, async (server, create) => {
    await create({ local: missing(t), policy: "local-first" });
    const ran = { ranOn: "remote", reason: "network" };
    const request = { ...hello, top_k: 5, tools: [{ type: "function", function: { name: "f", parameters: {} } }] };
    const { value } = await chat(t, request);
    assert.deepEqual(value.puna, ran);
    assert.equal(value.choices[0].message.content, far(request));
    assert.match(value.choices[0].message.content, / 🦙 olleH$/);
    assert.equal(server.requests[0].headers["x-test"], "1");
    // The first chunks are there while the server has said no more.
    server.fail({ kind: "hold", after: 2, times: 1 });
    const streamed = { ...hello, stream: true, stream_options: { include_usage: true } };
    const answer = chat(t, streamed);
    await held(t, server, 2, answer);
    server.release();
    const { chunks } = await answer;
    assert.ok(chunks.every(({ puna }) => puna.ranOn === "remote"));
    assert.equal(textOf(chunks), far(streamed));
    assert.ok(chunks.at(-1).usage.total_tokens > 0);
    const vectors = await t.page.evaluate(() => window.puna.embeddings.create({ input: ["a", "b"] }));
    const models = await t.page.evaluate(() => window.puna.models.list());
    assert.deepEqual(vectors.data.map(({ embedding }) => embedding), [vectorOf("a"), vectorOf("b")]);
    assert.deepEqual([vectors.puna, models.data[0].id, models.puna], [ran, "far-1", ran]);
  });
});

test("is told what the server refuses, and when it breaks off; nobody goes on in its place", async (t) => {
  await withServer(t, async (server, create) => {
    await create({ local: missing(t), policy: "remote", remote: { apiKey: "wrong" } });
    const streamed = { ...hello, stream: true };
    for (const body of [hello, streamed]) {
      const { error } = await chat(t, body);
      assert.deepEqual([error.name, error.code, error.details.status, error.details.reason], ["RemoteError", "network", 401, "invalid_api_key"]);
      assert.match(error.message, /remote\.apiKey/);
    }
    await create({ local: missing(t), policy: "remote" });
    for (const [status, code, name] of [
      [429, "busy", "RemoteError"],
      [500, "network", "RemoteError"],
      [400, "invalid_request", "InvalidRequestError"],
    ]) {
      server.fail({ kind: "status", status, times: 1 });
      const { error } = await chat(t, streamed);
      assert.deepEqual([error.code, error.name, error.details.status, error.isPunaError], [code, name, status, true]);
    }
    for (const fault of [{ kind: "refuse" }, { kind: "page" }, { kind: "redirect", location: `${server.baseURL}/chat/completions` }]) {
      server.clear();
      server.fail(fault);
      const { error } = await chat(t, hello);
      assert.equal(error.code, "network", fault.kind);
      // A browser knocks again by itself where nobody has said anything.
      assert.ok(fault.kind === "refuse" || server.requests.length === 1, fault.kind);
    }
    const text = far(streamed);
    for (const fault of [{ kind: "cut" }, { kind: "end" }, { kind: "error", error: { message: "no memory", code: 500 } }]) {
      server.clear();
      server.fail({ ...fault, after: 3, isHeld: true, times: 1 });
      const answer = chat(t, streamed);
      await held(t, server, 3, answer);
      server.release();
      const { error, chunks } = await answer;
      assert.deepEqual([error.name, error.code], ["RemoteError", "network"], fault.kind);
      assert.equal(chunks.length, 3);
      assert.equal(textOf(chunks), text.slice(0, 12));
      assert.equal(server.requests.length, 1);
    }
    await server.stop();
    const { error } = await chat(t, hello);
    assert.deepEqual([error.code, error.details.status], ["network", null]);
  });
});

test("stops the server's work, too: by a signal, or by leaving the loop", async (t) => {
  await withServer(t, async (server, create) => {
    await create({ local: missing(t), policy: "remote" });
    for (const leaving of [{ abortAfter: 2 }, { leaveAfter: 2 }]) {
      server.clear();
      server.fail({ kind: "hold", after: 2, times: 1 });
      const { error, chunks } = await chat(t, { ...hello, stream: true }, leaving);
      assert.equal(chunks.length, 2);
      assert.equal(error?.name, leaving.abortAfter ? "AbortError" : undefined);
      while (!server.requests[0].isLeft) await sleep(10);
    }
    server.clear();
    server.fail({ kind: "hang" });
    const waiting = t.page.evaluate(async (body) => {
      window.stop = new AbortController();
      return window.lab.attempt(() => window.puna.chat.completions.create(body, { signal: window.stop.signal }));
    }, hello);
    while (server.requests.length === 0) await sleep(10);
    await t.page.evaluate(() => window.stop.abort());
    assert.equal((await waiting).error.name, "AbortError");
    while (!server.requests[0].isLeft) await sleep(10);
  });
});

test("serves the openai package from either side", async (t) => {
  await withServer(t, async (server, create) => {
    await create({ local: missing(t), policy: "local-first" });
    const call = await adopt(t, "openai", HOSTED, LOCAL);
    const request = {
      model: "far-1",
      messages: [
        { role: "developer", content: "You are a helpful assistant." },
        { role: "user", content: "Hello" },
      ],
      temperature: 0,
      max_completion_tokens: 12,
    };
    assert.equal(await call("answer", "Hello"), answerTo(request));
    const { deltas, usage } = await call("streamed", "Hello");
    assert.equal(deltas.join(""), answerTo({ ...request, stream: true, stream_options: { include_usage: true } }));
    assert.ok(deltas.length > 3 && usage.total_tokens > 0);
    assert.equal(await call("helped", "Hello"), answerTo({ ...request, stream: true }));
    const [vector] = await call("embedded", ["a"]);
    assert.deepEqual(vector, [...Float32Array.from(vectorOf("a"))]);
    assert.deepEqual(await call("models"), ["far-1"]);
    assert.equal(await call("left", "Hello"), 3);
    // Its own errors are of the server's making.
    const refused = await call("refused", { messages: null });
    assert.deepEqual([refused.isBad, refused.status, refused.code, refused.param], [true, 400, "missing_required_parameter", "messages"]);
    // The keys of the client's own stay behind.
    assert.ok(server.requests.every(({ headers }) => headers.authorization === `Bearer ${KEY}` && !("x-stainless-lang" in headers)));
  });
});

// In one browser: suites may run side by side, and one of them builds it.
test("speaks with a server of llama.cpp, which others have written", { seconds: 7200, full: true, browsers: ["chromium"] }, async (t) => {
  const server = await startLlama({ model: REAL.file, alias: "far-1", contextLength: 512 });
  try {
    await t.page.evaluate(
      async (options) => {
        const { createClient } = await import("/package/client.js");
        window.puna = createClient(options);
      },
      { local: missing(t), remote: { baseURL: server.baseURL, model: "far-1", server: "llama.cpp" }, policy: "local-first" },
    );
    const ran = { ranOn: "remote", reason: "network" };
    const request = greedy("What is the capital of France?", 12);
    const { value } = await chat(t, request);
    assert.deepEqual(value.puna, ran);
    assert.equal(value.model, "far-1");
    const text = value.choices[0].message.content;
    assert.ok(text.length > 0);
    assert.equal(value.usage.completion_tokens, 12);
    const other = await chat(t, greedy("Write a poem about the sea.", 12));
    assert.notEqual(other.value.choices[0].message.content, text);
    const streamed = await chat(t, { ...request, stream: true });
    assert.deepEqual([streamed.error, streamed.value], [undefined, ran]);
    assert.equal(textOf(streamed.chunks), text);
    assert.ok(streamed.chunks.length > 3, "in pieces");
    const grammar = { syntax: "gbnf", definition: 'root ::= "yes" | "no"' };
    const bound = await chat(t, { ...request, puna: { grammar } });
    assert.match(bound.value.choices[0].message.content, /^(yes|no)$/);
    const long = greedy("long ".repeat(1000), 8);
    for (const [body, name, code, status] of [
      [long, "InvalidRequestError", "context_length_exceeded", 400],
      // A stream it begins, and ends without a word.
      [{ ...long, stream: true }, "RemoteError", "network", null],
      // That the request is at fault it does not say.
      [{ ...request, temperature: "hot" }, "RemoteError", "network", 500],
      [{ ...request, temperature: "hot", stream: true }, "RemoteError", "network", 500],
    ]) {
      const { error, chunks } = await chat(t, body);
      assert.deepEqual([error.name, error.code, error.details.status], [name, code, status], error.message);
      assert.equal(error.details.local.code, "network");
      assert.deepEqual(chunks, []);
    }
    const endless = { ...greedy("Tell me a story.", 400), stream: true };
    const stopped = await chat(t, endless, { abortAfter: 3 });
    assert.deepEqual([stopped.error.name, stopped.chunks.length], ["AbortError", 3]);
    // It is free for others then.
    assert.equal(textOf((await chat(t, { ...request, stream: true })).chunks), text);
  } finally {
    await server.stop();
  }
});
