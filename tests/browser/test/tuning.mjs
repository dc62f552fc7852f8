// The fastest shaders of a device are found while nothing else is to be done, and known the next time.
import assert from "node:assert/strict";
import { greedy } from "../context.mjs";
import { test } from "../suite.mjs";

/** In one browser: the other's compiler takes a minute for all the ways. */
const LIMITS = { browsers: ["firefox"], seconds: 600 };

/** As on a GPU: software adapters have one way to do each projection. */
const AS_ON_A_GPU = { advanced: { variant: "shared" } };

async function tuned(t) {
  const limit = Date.now() + 240_000;
  while ((await t.lab("counters")).untuned > 0) {
    assert.ok(Date.now() < limit, "the timing of shaders comes to an end");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

test("times shaders, answers meanwhile, and does not time them again", LIMITS, async (t) => {
  await t.loadTiny(AS_ON_A_GPU);
  assert.ok((await t.lab("counters")).untuned >= 5, "there is something to time");
  const asked = await t.chat(greedy("Hello", 20));
  await tuned(t);
  const again = await t.chat(greedy("Hello", 20));
  assert.equal(again.choices[0].message.content, asked.choices[0].message.content);
  await t.loadTiny(AS_ON_A_GPU);
  const counters = await t.lab("counters");
  assert.equal(counters.untuned, 0, "it is known from the last time");
  const kept = await t.chat(greedy("Hello", 20));
  assert.equal(kept.choices[0].message.content, asked.choices[0].message.content);
});

test("times none where it is not to", LIMITS, async (t) => {
  await t.loadTiny({ advanced: { variant: "shared", tune: false } });
  const before = (await t.lab("counters")).untuned;
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok(before > 0);
  assert.equal((await t.lab("counters")).untuned, before);
});
