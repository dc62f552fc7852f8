// The real model on the CPU's executor: every build of it, with one thread and with two, against what an independent
// implementation recorded (tests/golden).
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { REAL, root } from "../context.mjs";
import { test } from "../suite.mjs";

const golden = path.join(root, "tests/golden/smollm2-135m-instruct-q4_1");
const read = (name) => JSON.parse(fs.readFileSync(path.join(golden, name), "utf8"));

/** What the golden folder's README allows for activations rounded to 8 bits. */
const LOGITS = 0.9;
const MEAN_NLL = 6e-3;

/** Kernels are tested by themselves: a quick run has each build and each kind of memory once in one browser. */
const QUICK = { chromium: ["relaxed 2", "simd128 1"], firefox: ["relaxed 2"] };

for (const simd of ["relaxed", "simd128"]) {
  for (const threads of [1, 2]) {
    const browsers = Object.keys(QUICK).filter((browser) => QUICK[browser].includes(`${simd} ${threads}`));
    const name = `logits and perplexity hold, ${simd}, ${threads === 1 ? "one thread" : `${threads} threads`}`;
    const run = async (t) => {
      const { ids, exact } = read("perplexity.json");
      const { prompts } = read("generation.json");
      const given = { url: t.url(REAL), options: { simd, threads }, prompts, ids };
      const value = await t.logitsOnCpu(given);
      assert.equal(value.device.simd, simd, "the build");
      assert.deepEqual([value.device.threads, value.device.prefill_threads], [threads, threads], "threads");
      assert.deepEqual(value.warnings, [], "warnings");
      for (const [prompt, off] of Object.entries(value.worst)) {
        assert.ok(off <= LOGITS, `${prompt}: a logit is ${off} off, at most ${LOGITS} allowed`);
      }
      assert.equal(Object.keys(value.worst).length, 6, "all prompts");
      const off = Math.abs(value.meanNll - exact.mean_nll);
      assert.ok(off <= MEAN_NLL, `mean negative log likelihood ${value.meanNll}, expected ${exact.mean_nll} ± ${MEAN_NLL}`);
      console.log(`        logits at most ${Math.max(...Object.values(value.worst)).toFixed(3)} off, perplexity's logarithm ${off.toFixed(5)}`);
    };
    const others = Object.keys(QUICK).filter((browser) => !browsers.includes(browser));
    if (browsers.length > 0) test(name, { browsers, seconds: 400 }, run);
    if (others.length > 0) test(name, { browsers: others, full: true, seconds: 400 }, run);
  }
}
