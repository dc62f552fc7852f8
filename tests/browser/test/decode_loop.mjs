// The loop over tokens: makes nothing on the GPU, and waits for no timer.
import assert from "node:assert/strict";
import { greedy } from "../context.mjs";
import { test } from "../suite.mjs";

test("makes no buffer, bind group or pipeline", async (t) => {
  await t.loadTiny();
  // The attention cache grows by doubling: let it grow before counting.
  await t.chat(greedy("Hello", 200, { temperature: 1.5, seed: 1 }));
  const before = await t.lab("counters");
  const { usage } = await t.chat(greedy("Hello", 200, { temperature: 1.5, seed: 1 }));
  const after = await t.lab("counters");
  assert.ok(usage.completion_tokens > 50, `${usage.completion_tokens} tokens`);
  assert.ok(after.steps - before.steps >= usage.completion_tokens - 1, `${after.steps - before.steps} steps`);
  for (const what of ["buffersCreated", "bindGroupsCreated", "pipelinesCreated"]) {
    assert.ok(before[what] > 0, `${what} is counted`);
    assert.equal(after[what], before[what], what);
  }
});

test("is at least three times as fast with the poke as without", { browsers: ["firefox"] }, async (t) => {
  const speed = {};
  for (const poke of ["off", "on"]) {
    await t.loadTiny({ advanced: { poke } });
    await t.chat(greedy("Hello", 4));
    const { times } = await t.lab("chat", greedy("Hello", 40, { stream: true }));
    assert.ok(times.length > 20, `${times.length} chunks`);
    speed[poke] = (times.length - 1) / ((times.at(-1) - times[0]) / 1000);
    await t.lab("unload");
  }
  console.log(`        ${speed.on.toFixed(1)} tokens/s with the poke, ${speed.off.toFixed(1)} without`);
  assert.ok(speed.on >= 3 * speed.off, `${speed.on} against ${speed.off} tokens/s`);
});
