// Every kernel in every variant that this browser can compile, against its twin on the CPU.
import assert from "node:assert/strict";
import { test } from "../suite.mjs";

test("every kernel agrees with its reference", { seconds: 900 }, async (t) => {
  const report = JSON.parse(
    await t.page.evaluate(async () => {
      // As the package's worker does: wgpu's web backend leaves the feature out of the device request.
      const original = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = function (descriptor) {
        const features = new Set(descriptor?.requiredFeatures ?? []);
        if (this.features.has("subgroups")) features.add("subgroups");
        return original.call(this, { ...descriptor, requiredFeatures: features });
      };
      const { default: init, run_conformance } = await import("/conformance/puna_web.js");
      await init();
      return run_conformance("", "{}");
    }),
  );
  const failed = report.failed ?? [];
  assert.deepEqual(failed.slice(0, 10), [], `${failed.length} of ${report.passed + failed.length} cases failed`);
  assert.ok(report.passed > 0, "no case ran");
  console.log(`        ${report.passed} cases`);
});
