// Without a GPU: what is chosen, what it takes, and what happens where something is missing.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { residentBytes } from "../../bench/proc.mjs";
import { greedy, PLAIN_TEMPLATE, REAL, root, textOf } from "../context.mjs";
import { test } from "../suite.mjs";

const CPU = { device: "cpu" };
const dist = (name) => fs.readFileSync(path.join(root, "www/dist", name), "utf8");
const question = greedy("The capital of France is", 8);
/** The question as it stands. */
const PLAIN = { ...CPU, chatTemplate: PLAIN_TEMPLATE };

/** What the tiny model says on one thread. */
async function expected(t) {
  await t.loadTiny({ ...CPU, advanced: { threads: 1 } });
  const { choices } = await t.chat(greedy("Hello", 24));
  await t.lab("unload");
  return choices[0].message.content;
}

test("is taken where WebGPU is software, and says why", async (t) => {
  const { info } = await t.loadTiny({ device: "auto" });
  assert.equal(info.device.kind, "cpu");
  assert.match(info.device.reason, t.hasWebGpu ? /imitated/ : /WebGPU/);
  assert.ok(["relaxed", "simd128"].includes(info.device.simd), info.device.simd);
  assert.ok(info.device.threads >= 1 && info.device.prefillThreads >= 1, "threads");
  assert.equal(info.device.threadsLimitedBy, null, "the page is isolated");
});

test("answers, streams, stops, and begins anew", { seconds: 400 }, async (t) => {
  await t.load(t.url(REAL), PLAIN);
  const { choices } = await t.chat(question);
  assert.match(choices[0].message.content, /Paris/);
  const chunks = await t.chat({ ...question, stream: true });
  assert.equal(textOf(chunks), choices[0].message.content, "the stream");
  const stopped = await t.chatError(greedy("Once upon a time, there was a", 400, { stream: true }), { abortAfter: 3 });
  assert.equal(stopped.code, "aborted");
  const again = await t.chat(question);
  assert.deepEqual(again.choices, choices, "after a stop");
  const { steps, cpuMemoryBytes, buffersCreated } = await t.lab("counters");
  assert.ok(steps > 20, `${steps} steps`);
  assert.equal(buffersCreated, 0, "nothing on a GPU");
  assert.ok(cpuMemoryBytes > fs.statSync(REAL.file).size, `${cpuMemoryBytes} bytes`);
});

test("has one thread where the page is not isolated, and says why", async (t) => {
  const text = await expected(t);
  await t.openUnisolated();
  const { info } = await t.loadTiny(CPU);
  assert.deepEqual([info.device.threads, info.device.prefillThreads], [1, 1]);
  assert.match(info.device.threadsLimitedBy, /cross-origin isolated/);
  assert.deepEqual(await t.lab("warnings"), [], "nothing was asked for that can't be");
  const { choices } = await t.chat(greedy("Hello", 24));
  assert.equal(choices[0].message.content, text);
});

test("goes on with one thread where shared memory is refused", async (t) => {
  const text = await expected(t);
  const refuse =
    "{ const M = WebAssembly.Memory; WebAssembly.Memory = function (d) { if (d.shared) throw new RangeError('refused'); return new M(d); }; }\n";
  t.site.put("/package/worker.js", Buffer.from(refuse + dist("worker.js")));
  const { info } = await t.loadTiny({ ...CPU, advanced: { threads: 2 } });
  assert.equal(info.device.threads, 1);
  const warnings = await t.lab("warnings");
  assert.equal(warnings.length, 1, `${warnings}`);
  assert.match(warnings[0], /one thread.*shared memory.*refused/);
  const { choices } = await t.chat(greedy("Hello", 24));
  assert.equal(choices[0].message.content, text);
});

test("goes on with one thread where threads don't start", async (t) => {
  const text = await expected(t);
  t.site.put("/package/thread.js", Buffer.from("throw new Error('no thread here');"));
  const { info } = await t.loadTiny({ ...CPU, advanced: { threads: 2 } });
  assert.equal(info.device.threads, 1);
  const warnings = await t.lab("warnings");
  assert.equal(warnings.length, 1, `${warnings}`);
  assert.match(warnings[0], /one thread.*did not start/);
  const { choices } = await t.chat(greedy("Hello", 24));
  assert.equal(choices[0].message.content, text);
});

test("goes on with one thread when another dies in the middle of its work", { seconds: 120 }, async (t) => {
  const text = await expected(t);
  // The thread ends after it has been woken a few times, and tells nobody.
  const script = dist("thread.js");
  const dying = `let left = 3; { const wait = Atomics.wait; Atomics.wait = (...given) => { const woken = wait(...given); if (--left < 0) { close(); throw new Error("dead"); } return woken; }; }\n`;
  t.site.put("/package/thread.js", Buffer.from(dying + script));
  const { info } = await t.loadTiny({ ...CPU, advanced: { threads: 2 } });
  assert.equal(info.device.threads, 2);
  const texts = [];
  for (let round = 0; round < 6; round++) {
    const { choices } = await t.chat(greedy("Hello", 24));
    texts.push(choices[0].message.content);
    // Long enough for the thread to fall asleep, so that it is woken again.
    await sleep(50);
  }
  assert.deepEqual(texts, Array(6).fill(text), "the same text, before and after");
  const warnings = await t.lab("warnings");
  assert.equal(warnings.length, 1, `${warnings}`);
  assert.match(warnings[0], /one thread.*ended/);
});

test("refuses a model that its memory can't hold before the weights come", async (t) => {
  const error = await t.loadError(t.url(REAL), { ...CPU, cache: "none", advanced: { memoryBytes: 2 ** 24 } });
  assert.equal(error.code, "out_of_memory");
  assert.equal(error.details.limitBytes, 2 ** 24);
  assert.ok(error.details.neededBytes > fs.statSync(REAL.file).size, error.message);
  assert.match(error.message, new RegExp(`${error.details.neededBytes}.*${2 ** 24}`));
  const sent = t.host.sentBytes(REAL.path);
  assert.ok(sent <= 4 << 20, `${sent} bytes were sent: the header has 1.7 MB, and is asked for in growing ranges`);
});

test("says how much memory was refused, and loads a smaller model then", { seconds: 300 }, async (t) => {
  // The browser gives the module less than it asks for.
  const stingy =
    "{ const M = WebAssembly.Memory; WebAssembly.Memory = function (d) { return new M({ ...d, maximum: Math.min(d.maximum, 1200) }); }; }\n";
  t.site.put("/package/worker.js", Buffer.from(stingy + dist("worker.js")));
  for (let round = 0; round < 3; round++) {
    const error = await t.loadError(t.url(REAL), CPU);
    assert.equal(error.code, "out_of_memory", error.message);
    assert.ok(error.details.bytes > 0.9 * fs.statSync(REAL.file).size, error.message);
    assert.match(error.message, new RegExp(`${error.details.bytes} bytes`));
  }
  await t.loadTiny(CPU);
  await t.chat(greedy("Hello", 4));
});

test("stays usable when its attention cache can't grow", { seconds: 300 }, async (t) => {
  // Room for the weights, and for a cache of less than the whole context.
  await t.load(t.url(REAL), { ...CPU, advanced: { memoryBytes: 133 * 2 ** 20, threads: 1 } });
  const before = await t.chat(question);
  const error = await t.chatError(greedy("one two three ".repeat(1200), 2));
  assert.equal(error.code, "out_of_memory", error.message);
  const after = await t.chat(question);
  assert.deepEqual(after.choices, before.choices, "the answer");
});

/** Weights, the engine, and what the browser needs for its workers. */
const MOST_MEMORY = 1.5;

test("takes at most one and a half times the weights", { browsers: ["chromium"], seconds: 300 }, async (t) => {
  const isRenderer = (words) => words.includes("--type=renderer");
  // From the cache: what comes from the network is also kept by the tools that drive this browser.
  await t.load(t.url(REAL), CPU);
  await t.lab("unload");
  await t.openPage();
  // The page that it is compared with has used what it needs of the browser's own code.
  await t.loadTiny(CPU);
  await t.chat(greedy("Hello", 8));
  await t.lab("unload");
  await sleep(3000);
  const before = residentBytes(t.pid, isRenderer);
  await t.load(t.url(REAL), CPU);
  await t.chat(question);
  // What is held, not what the next collection of garbage frees.
  const engine = t.page.workers().find((worker) => worker.url().endsWith("/worker.js"));
  await engine.client.send("HeapProfiler.collectGarbage");
  await sleep(500);
  const bytes = residentBytes(t.pid, isRenderer) - before;
  const weights = fs.statSync(REAL.file).size;
  console.log(`        ${(bytes / weights).toFixed(2)} times the weights`);
  assert.ok(bytes <= MOST_MEMORY * weights, `${bytes} bytes beyond the empty page's for ${weights} of weights`);
});

test("ten loads and unloads leave memory where it was", { browsers: ["chromium"], seconds: 600 }, async (t) => {
  const sizes = [];
  for (let round = 0; round < 11; round++) {
    await t.load(t.url(REAL), CPU);
    await t.chat(greedy("Hello", 2));
    await t.lab("unload");
    // The worker's memory goes when the browser comes round to it.
    let bytes = Infinity;
    for (let wait = 0; wait < 6 && !(bytes <= 1.02 * sizes.at(-1)); wait++) {
      await sleep(500);
      bytes = residentBytes(t.pid);
    }
    sizes.push(bytes);
  }
  // The first load also starts what the browser keeps.
  const first = sizes[1];
  const shown = sizes.map((bytes) => (bytes / 2 ** 20).toFixed(0)).join(", ");
  console.log(`        ${shown} MiB`);
  assert.ok(Math.abs(sizes.at(-1) - first) <= 0.05 * first, `all processes after each unload: ${shown} MiB`);
});
