// Other real models than the one that is always there: what an independent implementation recorded of them (tests/golden),
// and one of a gigabyte.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { root } from "../context.mjs";
import { test } from "../suite.mjs";

const read = (...names) => JSON.parse(fs.readFileSync(path.join(root, "tests/golden", ...names), "utf8"));
const model = (file) => ({ path: `/models/${file}`, file: path.join(root, "models", file) });

/** What the golden folder's README allows for activations rounded to 8 bits. */
const LOGITS = 0.9;
const MEAN_NLL = 6e-3;

const OPTIONS = { browsers: ["chromium"], full: true, seconds: 1200 };

for (const [folder, file] of [
  ["gemma3-270m-q4_k_m", "gemma-3-270m-q4_k_m.gguf"],
  ["qwen2.5-coder-0.5b-q4", "qwen2.5-coder-0.5b-instruct-q4.gguf"],
]) {
  test(`${folder}: logits and perplexity hold`, OPTIONS, async (t) => {
    const { ids, exact } = read(folder, "perplexity.json");
    const { prompts } = read(folder, "generation.json");
    const value = await t.logitsOnCpu({ url: t.url(model(file)), options: {}, prompts, ids });
    for (const [prompt, off] of Object.entries(value.worst)) {
      assert.ok(off <= LOGITS, `${prompt}: a logit is ${off} off, at most ${LOGITS} allowed`);
    }
    assert.equal(Object.keys(value.worst).length, 6, "all prompts");
    const off = Math.abs(value.meanNll - exact.mean_nll);
    assert.ok(off <= MEAN_NLL, `mean negative log likelihood ${value.meanNll}, expected ${exact.mean_nll} ± ${MEAN_NLL}`);
    console.log(`        logits at most ${Math.max(...Object.values(value.worst)).toFixed(3)} off, perplexity's logarithm ${off.toFixed(5)}`);
  });
}

test("a model of a gigabyte chats, and takes at most half as much again as its file has bytes", OPTIONS, async (t) => {
  const file = model("qwen2.5-coder-1.5b-instruct-q4.gguf");
  const { info } = await t.load(t.url(file), { device: "cpu", contextLength: 2048 });
  const content = "Write a function in Python that adds two numbers. Answer with code only.";
  const request = { messages: [{ role: "user", content }], temperature: 0, max_tokens: 60 };
  const { choices } = await t.chat(request);
  assert.match(choices[0].message.content, /def \w+\(\w+, \w+\):\s+return \w+ \+ \w+/, choices[0].message.content);
  const { wasmHeapBytes, cpuMemoryBytes } = await t.lab("counters");
  const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  console.log(`        ${mib(cpuMemoryBytes)} and ${mib(wasmHeapBytes)} for a file of ${mib(info.fileBytes)}`);
  assert.ok(wasmHeapBytes < 128 * 2 ** 20, `the engine took ${mib(wasmHeapBytes)}`);
  // Weights are unpacked to nibbles and bytes.
  assert.ok(cpuMemoryBytes < 1.5 * info.fileBytes, `the executor took ${mib(cpuMemoryBytes)}`);
});

test("MiniLM's vectors are those of its authors' library, on GPU and CPU", OPTIONS, async (t) => {
  const cases = read("all-minilm-l6-v2", "embeddings.json");
  for (const device of [t.device, "cpu"]) {
    const { info } = await t.load(`${t.host.origin}/models/all-MiniLM-L6-v2/`, { device });
    assert.equal(info.embeddingDimensions, 384);
    const { value, error } = await t.lab("embed", { input: cases.map(({ text }) => text) });
    assert.equal(error, undefined, JSON.stringify(error));
    assert.equal(value.usage.prompt_tokens, cases.reduce((sum, { ids }) => sum + ids.length, 0), "tokens");
    const cosines = cases.map(({ vector }, i) => vector.reduce((sum, x, d) => sum + x * value.data[i].embedding[d], 0));
    const least = Math.min(...cosines);
    console.log(`        ${device}: a cosine of at least ${least.toFixed(6)}`);
    assert.ok(least > 1 - 1e-3, `${device}: ${cosines}`);
    await t.lab("unload");
  }
});
