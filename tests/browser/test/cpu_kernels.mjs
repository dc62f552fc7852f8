// Every kernel of the CPU's executor, as this browser compiles it, against exact sums.
import assert from "node:assert/strict";
import { test } from "../suite.mjs";

for (const build of ["simd128", "relaxed"]) {
  test(`every kernel is right in ${build}`, { seconds: 300 }, async (t) => {
    const { cases, error } = await t.page.evaluate(async (file) => {
      const memory = new WebAssembly.Memory({ initial: 64, maximum: 4096 });
      const imports = {
        wait() {},
        wake() {},
        panicked(at, bytes) {
          throw new Error(new TextDecoder().decode(new Uint8Array(memory.buffer, at, bytes)));
        },
      };
      const bytes = await (await fetch(file)).arrayBuffer();
      const { instance } = await WebAssembly.instantiate(bytes, { env: { memory }, puna: imports });
      try {
        return { cases: instance.exports.self_test() };
      } catch (error) {
        return { error: String(error) };
      }
    }, `/cpu-test/puna_cpu_${build}.wasm`);
    assert.equal(error, undefined, "the first kernel that is wrong");
    // Two sets of instructions, plain loops among them, and twelve formats.
    assert.ok(cases >= 2 * 12 * 60, `${cases} cases`);
    console.log(`        ${cases} cases`);
  });
}
