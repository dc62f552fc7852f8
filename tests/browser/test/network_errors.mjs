// What a network can do: told as `network` with status and URL where it can't be helped, tried again where it can.
import assert from "node:assert/strict";
import { greedy, REAL, TINY, TINY_OPTIONS } from "../context.mjs";
import { test } from "../suite.mjs";

for (const status of [404, 500]) {
  test(`status ${status} is told with the URL`, async (t) => {
    t.host.faults.add(TINY.path, { kind: "status", status });
    const error = await t.loadError(t.url(TINY), TINY_OPTIONS);
    assert.equal(error.code, "network", JSON.stringify(error));
    assert.ok(error.message.includes(String(status)) && error.message.includes(TINY.path), error.message);
    assert.equal(error.details.status, status);
    assert.ok(String(error.details.url).endsWith(TINY.path), JSON.stringify(error.details));
    t.host.faults.clear();
    await t.loadTiny();
  });
}

test("a server that is not there is told with the URL", async (t) => {
  await t.host.stop();
  const error = await t.loadError(t.url(TINY), TINY_OPTIONS);
  assert.equal(error.code, "network", JSON.stringify(error));
  assert.ok(error.message.includes(TINY.path), error.message);
  await t.host.start();
  await t.loadTiny();
});

test("503 and a dropped connection are tried again", async (t) => {
  t.host.faults.add(TINY.path, { kind: "status", status: 503, times: 1 });
  t.host.faults.add(TINY.path, { kind: "drop", after: 100_000, times: 1 });
  await t.loadTiny();
  assert.ok((await t.chat(greedy("Hello", 4))).usage.completion_tokens > 0);
  assert.ok(t.host.log.some((entry) => entry.status === 503), "the fault happened");
  assert.ok(t.host.log.some((entry) => !entry.whole), "the drop happened");
});

test("a connection that always drops is an error, not an endless load", async (t) => {
  t.host.faults.add(TINY.path, { kind: "drop", after: 10_000 });
  const error = await t.loadError(t.url(TINY), TINY_OPTIONS);
  assert.equal(error.code, "network", JSON.stringify(error));
});

test("another range than asked is refused", async (t) => {
  t.host.faults.add(TINY.path, { kind: "wrong_range" });
  const error = await t.loadError(t.url(TINY), TINY_OPTIONS);
  assert.equal(error.code, "network", JSON.stringify(error));
  assert.match(error.message, /range/i);
});

test("a file that changes during the load is not mixed with what came before", { seconds: 300 }, async (t) => {
  t.host.faults.add(REAL.path, { kind: "etag", etag: '"another"', from: 40e6 });
  const error = await t.loadError(t.url(REAL));
  assert.ok(["network", "integrity"].includes(error.code), JSON.stringify(error));
  assert.match(error.message, /chang|another|differ/i);
});

test("a connection that says nothing is given up and asked for again", { full: true, seconds: 120 }, async (t) => {
  t.host.faults.add(TINY.path, { kind: "hang", times: 1 });
  const { ms } = await t.loadTiny();
  assert.ok(ms > 25_000, `loaded after ${ms} ms`);
});

test("an AbortSignal ends a load that waits for an answer", async (t) => {
  t.host.faults.add(TINY.path, { kind: "hang" });
  const error = await t.page.evaluate(async (url) => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 500);
    const { error } = await window.lab.attempt(() => window.lab.puna.load(url, { signal: abort.signal }));
    return error;
  }, t.url(TINY));
  assert.equal(error?.name, "AbortError");
  assert.equal(error.code, "aborted");
});
