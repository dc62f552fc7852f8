// Every kernel in every variant that this browser can compile, against its twin on the CPU.
import assert from "node:assert/strict";
import { test } from "../suite.mjs";

// The last of Chromium's is for subgroups that differ in size.
const VARIANTS = {
  chromium: ["serial f32", "shared f32", "subgroup f32", "subgroup f32"],
  firefox: ["serial f32", "shared f32", "shared f16"],
};
const PLANTED = 27;

// These shaders go through the same compiler and driver natively, and those in f32 through a stricter compiler in Chromium.
const ONLY_IN_FULL = { chromium: [], firefox: ["shared f32", "shared f16"] };

test("every kernel agrees with its reference", { seconds: 900 }, async (t) => {
  const skipped = t.full ? [] : ONLY_IN_FULL[t.browserName];
  const report = JSON.parse(
    await t.page.evaluate(async (full, skipped) => {
      // As the package's worker does: wgpu's web backend leaves the feature out of the device request.
      const original = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = function (descriptor) {
        const features = new Set(descriptor?.requiredFeatures ?? []);
        if (this.features.has("subgroups")) features.add("subgroups");
        return original.call(this, { ...descriptor, requiredFeatures: features });
      };
      const { default: init, run_conformance } = await import("/conformance/puna_web.js");
      await init();
      return run_conformance(full, skipped);
    }, t.full, skipped),
  );
  const failed = report.failed ?? [];
  assert.deepEqual(failed.slice(0, 10), [], `${failed.length} of ${report.passed + failed.length} cases failed`);
  const expected = VARIANTS[t.browserName].filter((name) => !skipped.includes(name));
  assert.deepEqual(report.variants, expected, "the variants of this browser's adapter");
  assert.equal(report.planted, PLANTED, "a planted fault for every kernel");
  console.log(`        ${report.passed} cases`);
});
