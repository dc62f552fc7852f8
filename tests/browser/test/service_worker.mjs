// Clients that can't be given a `fetch`: the origin's service worker answers them by the models of its open pages.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { adopt } from "../clients.mjs";
import { greedy, root, TINY, TINY_OPTIONS } from "../context.mjs";
import { test } from "../suite.mjs";

const HOSTED = "const client = new OpenAI({ apiKey: process.env.OPENAI_API_KEY });";
const LOCAL = 'const client = new OpenAI({ apiKey: "none", dangerouslyAllowBrowser: true, baseURL: `${location.origin}/puna/v1` });';

/** As an author writes it, with a listener of their own that answers everything. */
const CLASSIC = `
importScripts("/package/sw.classic.js");
puna.serve({ path: "/puna" });
const run = crypto.randomUUID();
addEventListener("install", () => skipWaiting());
addEventListener("fetch", (event) => event.respondWith(
  new URL(event.request.url).pathname === "/mine/run" ? new Response(run) : fetch(event.request)));`;
const MODULE = `
import { serve } from "/package/sw.js";
serve({ path: "/puna" });
addEventListener("install", () => skipWaiting());`;

/** A page that the service worker is in charge of, with the tiny model if it is wanted; under names in `window`. */
async function open(t, page, { script = "/classic.js", hasModel = true } = {}) {
  t.site.put("/classic.js", Buffer.from(CLASSIC));
  t.site.put("/module.js", Buffer.from(MODULE));
  await page.waitForFunction("window.ready === true");
  await page.evaluate(
    async (script, type, source, options) => {
      const { answer, ready } = await import("/package/sw-page.js");
      if (source !== null) {
        const model = (window.model = await window.lab.puna.load(source, options));
        window.signals = [];
        const watched = (address, init) => {
          window.signals.push(init.signal);
          return model.fetch(address, init);
        };
        await answer({ id: model.id, fetch: watched, ended: model.ended });
      }
      // With a model's threads asleep: it must not wait for them.
      await ready(script, { type });
    },
    script,
    script === "/module.js" ? "module" : "classic",
    hasModel ? t.url(TINY) : null,
    { ...TINY_OPTIONS, device: "cpu", cache: "none" },
  );
}

/** Which run of the service worker answers. */
const runOf = (page) => page.evaluate(async () => (await fetch("/mine/run")).text());

/** Waits until the last request that came to a page's model is given up. */
const isStopped = (page) => page.waitForFunction("window.signals.at(-1).aborted", { timeout: 60_000 });

/** Asks by the page's own `fetch`, and reads what comes: of a stream its first piece, then the rest. */
const ask = (page, path, body) =>
  page.evaluate(
    async (path, body) => {
      const answer = await fetch(path, body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
      return { status: answer.status, retry: answer.headers.get("x-should-retry"), body: await answer.json() };
    },
    path,
    body,
  );

/** An answer that takes longer than any test. */
const ENDLESS = { ...greedy("Once upon a time", 400), n: 128 };

test("answers the openai package at an address, whole, in pieces, and with its own errors", async (t) => {
  await open(t, t.page);
  const call = await adopt(t, "openai", HOSTED, LOCAL);
  const text = await call("answer", "Hello");
  const request = { messages: [{ role: "developer", content: "You are a helpful assistant." }, { role: "user", content: "Hello" }], temperature: 0, max_tokens: 12 };
  const expected = await t.page.evaluate(async (request) => (await window.model.chat.completions.create(request)).choices[0].message.content, request);
  assert.equal(text, expected);
  const { deltas, usage } = await call("streamed", "Hello");
  assert.equal(deltas.join(""), text);
  assert.ok(deltas.filter((delta) => delta !== "").length > 1, "in pieces");
  assert.equal(usage.completion_tokens, 12);
  assert.deepEqual(await call("models"), [await t.page.evaluate(() => window.model.id)]);
  assert.equal(await call("left", "Hello"), 3);
  const refused = await call("refused", { temperature: 3 });
  assert.deepEqual([refused.isBad, refused.status, refused.param], [true, 400, "temperature"]);
  // What is not below the path is the author's own business.
  assert.match(await runOf(t.page), /^[0-9a-f-]{36}$/);
  // A worker of the page is nobody's client but the origin's.
  t.site.put("/asking.js", Buffer.from(`onmessage = async ({ data }) => {
    const answer = await fetch("/puna/v1/chat/completions", { method: "POST", body: data });
    postMessage(await answer.json());
  };`));
  const asked = await t.page.evaluate(
    (body) =>
      new Promise((resolve) => {
        const worker = new Worker("/asking.js");
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage(body);
      }),
    JSON.stringify(request),
  );
  assert.equal(asked.choices[0].message.content, expected);
});

test("gives pieces as they are made to fetch and to XMLHttpRequest, and stops when nobody reads on", async (t) => {
  await open(t, t.page, { script: "/module.js" });
  for (const canTransfer of [true, false]) {
    const { pieces, end } = await t.page.evaluate(async (body, canTransfer) => {
      const { postMessage } = MessagePort.prototype;
      // As in browsers that can't give a stream away.
      if (!canTransfer) {
        MessagePort.prototype.postMessage = function (message, transfer = []) {
          if (transfer.some((item) => item instanceof ReadableStream)) throw new DOMException("no", "DataCloneError");
          return postMessage.call(this, message, transfer);
        };
      }
      const answer = await fetch("/puna/v1/chat/completions", { method: "POST", body });
      const reader = answer.body.getReader();
      const pieces = [];
      for (let i = 0; i < 4; i += 1) pieces.push(new TextDecoder().decode((await reader.read()).value));
      const isGivenUp = new Promise((resolve) => window.signals.at(-1).addEventListener("abort", resolve));
      await reader.cancel();
      await isGivenUp;
      const short = { ...JSON.parse(body), n: 1, max_tokens: 2 };
      const last = (await (await fetch("/puna/v1/chat/completions", { method: "POST", body: JSON.stringify(short) })).text()).trimEnd();
      MessagePort.prototype.postMessage = postMessage;
      return { pieces, end: last.split("\n").at(-1) };
    }, JSON.stringify({ ...ENDLESS, stream: true }), canTransfer);
    assert.equal(end, "data: [DONE]");
    for (const piece of pieces) assert.match(piece, /^(data: \{[^\n]*\}\n\n)+$/);
  }
  const seen = await t.page.evaluate(
    (body) =>
      new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        const lengths = [];
        request.open("POST", "/puna/v1/chat/completions");
        request.onerror = reject;
        request.onprogress = () => {
          lengths.push(request.responseText.length);
          if (lengths.length < 3) return;
          request.onabort = () => resolve({ lengths, type: request.getResponseHeader("content-type") });
          request.abort();
        };
        request.send(body);
      }),
    JSON.stringify({ ...ENDLESS, stream: true }),
  );
  assert.ok(seen.lengths[0] < seen.lengths[2], JSON.stringify(seen));
  await isStopped(t.page);
  // By the client's signal.
  await t.page.evaluate(async (body) => {
    const abort = new AbortController();
    const answer = await fetch("/puna/v1/chat/completions", { method: "POST", body, signal: abort.signal });
    await answer.body.getReader().read();
    abort.abort();
  }, JSON.stringify({ ...ENDLESS, stream: true }));
  await isStopped(t.page);
});

test("without a model says what to do, and waits for one that is being loaded", async (t) => {
  await open(t, t.page, { hasModel: false });
  const none = await ask(t.page, "/puna/v1/chat/completions", greedy("Hello", 2));
  assert.deepEqual([none.status, none.retry, none.body.error.type, none.body.error.code], [503, "false", "server_error", "no_model"]);
  assert.match(none.body.error.message, /answer\(\)/);
  assert.deepEqual((await ask(t.page, "/puna/v1/models")).body, { object: "list", data: [] });
  assert.equal((await ask(t.page, "/puna/v1/models/any")).body.error.code, "model_not_found");
  assert.deepEqual((await ask(t.page, "/puna/v1/messages", { max_tokens: 1 })).body.error.type, "api_error");
  const waited = await t.page.evaluate(
    async (source, options, body) => {
      const { answer } = await import("/package/sw-page.js");
      const asking = [];
      let load;
      const loading = new Promise((resolve) => (load = resolve)).then(() => window.lab.puna.load(source, options));
      const offered = await answer(loading);
      for (let i = 0; i < 2; i += 1) asking.push(fetch("/puna/v1/chat/completions", { method: "POST", body }));
      const list = await (await fetch("/puna/v1/models")).json();
      load();
      const [answers, model] = await Promise.all([Promise.all(asking), loading]);
      const bodies = await Promise.all(answers.map((answer) => answer.json()));
      // Nobody offers a model that can't be asked any more.
      await model.unload();
      const after = await fetch("/puna/v1/chat/completions", { method: "POST", body });
      // One that does not load says why to those who wait for it.
      const error = await window.lab.puna.load(`${source}.missing`, options).catch((error) => error);
      const isAsked = new Promise((resolve) => {
        // Once all who listen have heard it.
        navigator.serviceWorker.addEventListener("message", ({ data }) => data.puna === "ask" && setTimeout(resolve));
      });
      await answer(isAsked.then(() => Promise.reject(error)));
      const failed = await fetch("/puna/v1/chat/completions", { method: "POST", body });
      return { list, texts: bodies.map(({ choices }) => choices[0].message.content), stop: typeof offered.stop, after: after.status, failed: [failed.status, await failed.json()] };
    },
    t.url(TINY),
    { ...TINY_OPTIONS, device: "cpu", cache: "none" },
    JSON.stringify(greedy("Hello", 2)),
  );
  assert.deepEqual(waited.list.data, []);
  assert.ok(waited.texts[0].length > 0);
  assert.equal(waited.texts[0], waited.texts[1]);
  assert.equal(waited.after, 503);
  assert.deepEqual([waited.failed[0], waited.failed[1].error.code], [500, "network"]);
});

test("of several pages the one answers whose model is named; one that closes ends its answers", async (t) => {
  await open(t, t.page);
  const other = await t.visit("/page.html");
  try {
    await open(t, other, { hasModel: false });
    const [own, id] = await Promise.all([
      t.page.evaluate(() => window.model.id),
      other.evaluate(async (source, options) => {
        const { answer } = await import("/package/sw-page.js");
        const model = (window.model = await window.lab.puna.load(source, options));
        window.asked = 0;
        const counted = (...given) => {
          window.asked += 1;
          return model.fetch(...given);
        };
        await answer({ id: model.id, fetch: counted });
        return model.id;
      }, `${t.host.origin}/golden/tiny/qwen2/`, { device: "cpu", cache: "none", chatTemplate: "{{ messages[0].content }}" }),
    ]);
    assert.notEqual(id, own);
    const steps = (page) => page.evaluate(async () => (await window.model.counters()).steps);
    const whoAnswers = async (page, model) => {
      const before = [await steps(t.page), await steps(other)];
      const { status } = await ask(page, "/puna/v1/chat/completions", { ...greedy("Hello", 2), ...(model && { model }) });
      assert.equal(status, 200);
      return [(await steps(t.page)) > before[0], (await steps(other)) > before[1]];
    };
    assert.deepEqual(await whoAnswers(t.page, id), [false, true]);
    assert.deepEqual(await whoAnswers(other, own), [true, false]);
    // Nobody has such a model: each page's own.
    assert.deepEqual(await whoAnswers(t.page, "gpt-5"), [true, false]);
    assert.deepEqual(await whoAnswers(other), [false, true]);
    const list = await ask(t.page, "/puna/v1/models");
    assert.deepEqual(list.body.data.map((model) => model.id).sort(), [id, own].sort());
    assert.equal((await ask(t.page, `/puna/v1/models/${encodeURIComponent(id)}`)).body.owned_by, "puna");

    // What was answered is kept by the page that answered it, whichever is asked first.
    const first = await ask(t.page, "/puna/v1/responses", { model: id, input: "Hello", max_output_tokens: 2 });
    assert.equal(first.status, 200, JSON.stringify(first.body));
    assert.equal((await ask(t.page, `/puna/v1/responses/${first.body.id}`)).body.id, first.body.id);
    const second = await ask(t.page, "/puna/v1/responses", { previous_response_id: first.body.id, input: "And?", max_output_tokens: 2 });
    assert.deepEqual([second.status, second.body.previous_response_id, second.body.model], [200, first.body.id, id]);
    const missing = await ask(t.page, "/puna/v1/responses", { previous_response_id: "resp_0", input: "And?" });
    assert.deepEqual([missing.status, missing.body.error.code], [400, "previous_response_not_found"]);

    const asked = await other.evaluate(() => window.asked);
    await t.page.evaluate(async (body) => {
      const asked = (body) => fetch("/puna/v1/chat/completions", { method: "POST", body: JSON.stringify(body) });
      window.asking = [await asked({ ...body, stream: true }), asked(body)];
    }, { ...ENDLESS, model: id });
    while ((await other.evaluate(() => window.asked)) < asked + 2) await sleep(20);
    await other.close();
    const { status, last, whole } = await t.page.evaluate(async () => {
      const [streamed, whole] = await Promise.all(window.asking);
      const last = (await streamed.text()).trimEnd().split("\n\n").at(-1);
      return { status: streamed.status, last, whole: [whole.status, await whole.json(), whole.headers.get("x-should-retry")] };
    });
    assert.equal(status, 200);
    const { error } = JSON.parse(last.slice("data: ".length));
    assert.deepEqual([error.type, error.code], ["server_error", "page_gone"]);
    // Another page may have a model: a client asks again by itself.
    assert.deepEqual([whole[0], whole[1].error.code, whole[2]], [503, "page_gone", null]);
  } finally {
    await other.close().catch(() => {});
  }
});

test("finds the pages again after it was ended, and its end ends what was being answered", async (t) => {
  await open(t, t.page);
  const before = await runOf(t.page);
  if (t.browserName === "chromium") {
    await t.page.evaluate(async (body) => {
      const answer = await fetch("/puna/v1/chat/completions", { method: "POST", body });
      window.reader = answer.body.getReader();
      await window.reader.read();
    }, JSON.stringify({ ...ENDLESS, stream: true }));
    const session = await t.page.createCDPSession();
    await session.send("ServiceWorker.enable");
    await session.send("ServiceWorker.stopAllWorkers");
    const ended = await t.page.evaluate(async () => {
      try {
        for (;;) if ((await window.reader.read()).done) return "done";
      } catch (error) {
        return error.name;
      }
    });
    assert.equal(ended, "TypeError");
    await isStopped(t.page);
  }
  // Firefox ends it by itself, soon, for so it was started. Whoever asks it keeps it awake.
  for (let ms = 1000; (await runOf(t.page)) === before; ms *= 2) await sleep(ms);
  const { status, body } = await ask(t.page, "/puna/v1/chat/completions", greedy("Hello", 2));
  assert.equal(status, 200, JSON.stringify(body));
});

test("runs beside the service worker of the demo page, and says what keeps a page from it", async (t) => {
  const offline = fs.readFileSync(path.join(root, "www/dist/demo/sw.js"));
  t.site.put("/classic.js", Buffer.from(CLASSIC));
  t.site.put("/demo/offline.js", offline);
  t.site.put("/demo/sw.js", Buffer.from('importScripts("/package/sw.classic.js"); puna.serve(); importScripts("/demo/offline.js");'));
  await t.page.waitForFunction("window.ready === true");
  const said = await t.page.evaluate(async () => {
    const { ready } = await import("/package/sw-page.js");
    const said = async (...given) => {
      const { error } = await window.lab.attempt(() => ready(...given));
      return [error.code, error.message];
    };
    const abort = new AbortController();
    abort.abort();
    const near = await navigator.serviceWorker.register("/classic.js", { scope: "/page" });
    const nearer = await said("/classic.js");
    await near.unregister();
    return {
      nearer,
      missing: await said("/missing.js"),
      elsewhere: await said("/demo/sw.js"),
      stopped: await said("/demo/sw.js", { signal: abort.signal }),
    };
  });
  assert.match(said.nearer[1], /its scope http:\S+\/page is nearer than http:\S+\/:/);
  assert.equal(said.missing[0], "invalid_request");
  assert.match(said.missing[1], /missing\.js could not be registered/);
  assert.match(said.elsewhere[1], /not below the service worker's scope/);
  assert.equal(said.stopped[0], "aborted");
  const page = await t.visit("/demo/");
  try {
    const cached = await page.evaluate(async () => {
      const { ready } = await import("/package/sw-page.js");
      await ready("./sw.js");
      return (await caches.keys()).length;
    });
    assert.equal(cached, 1);
    const models = () => page.evaluate(async () => (await fetch("./puna/v1/models")).json());
    assert.deepEqual(await models(), { object: "list", data: [] });
    await t.site.stop();
    await page.reload();
    assert.deepEqual(await models(), { object: "list", data: [] });
  } finally {
    await page.close();
  }
});
