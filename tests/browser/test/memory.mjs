// The wasm heap does not grow with the model. Wasm memory never shrinks: its size is its peak.
import assert from "node:assert/strict";
import { greedy, REAL, TINY_OPTIONS, TINY } from "../context.mjs";
import { test } from "../suite.mjs";

const LIMIT_BYTES = 96 * 2 ** 20;
/** What wasm memory grows by. */
const PAGE_BYTES = 64 * 2 ** 10;

test("loading the real model stays under 96 MiB of wasm heap", { seconds: 400 }, async (t) => {
  await t.load(t.url(REAL));
  const { wasmHeapBytes } = await t.lab("counters");
  console.log(`        ${(wasmHeapBytes / 2 ** 20).toFixed(1)} MiB after the load`);
  assert.ok(wasmHeapBytes > 0 && wasmHeapBytes < LIMIT_BYTES, `${wasmHeapBytes} bytes`);
  await t.chat(greedy("Hello", 2));
  const after = await t.lab("counters");
  assert.ok(after.wasmHeapBytes < LIMIT_BYTES, `${after.wasmHeapBytes} bytes after an answer`);
});

test("many answers leave nothing behind", { seconds: 300 }, async (t) => {
  const sizes = [];
  await t.load(t.url(TINY), TINY_OPTIONS);
  for (let round = 0; round < 30; round++) {
    await t.chat(greedy(`Round ${round}`, 8));
    if (round % 10 === 9) sizes.push((await t.lab("counters")).wasmHeapBytes);
  }
  assert.equal(sizes.at(-1), sizes[0], `the heap grew: ${sizes}`);
});

test("many loads take no more than one", { seconds: 300 }, async (t) => {
  const sizes = [];
  // The first one comes from the network, and those that are compared from the cache.
  for (let round = 0; round < 8; round++) {
    await t.load(t.url(TINY), TINY_OPTIONS);
    await t.chat(greedy("Hello", 8));
    const { wasmHeapBytes } = await t.lab("counters");
    if (round > 0) sizes.push(wasmHeapBytes);
    const { error } = await t.lab("unload");
    assert.equal(error, undefined, "unload");
  }
  // Each load has a worker and a heap of its own. Which chunk arrives first may move its size by a few pages.
  assert.ok(Math.abs(sizes.at(-1) - sizes[0]) <= 4 * PAGE_BYTES, `the heap changed: ${sizes}`);
});
