// What a model is and whether it can be run here, before it is downloaded.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { REAL, root, TINY, TINY_OPTIONS } from "../context.mjs";
import { test } from "../suite.mjs";

/** Gives `{ value }` or `{ error }`; `source` is an address. */
const attempt = (t, source, options = {}) =>
  t.page.evaluate((source, options) => window.lab.attempt(() => window.lab.puna.inspect(source, options)), source, options);

async function inspect(t, source, options) {
  const { value, error } = await attempt(t, source, options);
  assert.equal(error, undefined, JSON.stringify(error));
  return value;
}

test("a report says of a model what a load of it then does", async (t) => {
  const url = t.url(TINY);
  for (const device of [t.device, "cpu"]) {
    const report = await inspect(t, url, { device, contextLength: 300, ...TINY_OPTIONS });
    const { info } = await t.load(url, { device, contextLength: 300, cache: "none", ...TINY_OPTIONS });
    assert.equal(report.id, info.id);
    assert.equal(report.name, info.name);
    assert.equal(report.architecture, info.architecture);
    assert.equal(report.fileBytes, info.fileBytes);
    assert.equal(report.device.canRun, true, JSON.stringify(report.device));
    assert.equal(report.device.problem, null);
    assert.equal(report.device.kind, info.device.kind);
    assert.equal(report.device.name, info.device.name);
    assert.equal(report.device.reason, info.device.reason);
    assert.equal(report.device.contextLength, info.contextLength);
    assert.ok(report.device.memoryBytes > report.memory.weightsBytes);
    await t.lab("unload");
  }
  const { format, files, contextLength, metadata, types, tensors, memory } = await inspect(t, url);
  assert.equal(format, "GGUF v3");
  assert.equal(files, 1);
  assert.equal(contextLength, 512);
  assert.equal(metadata["llama.block_count"], 1);
  assert.equal(metadata["tokenizer.ggml.model"], "gpt2");
  assert.match(metadata["tokenizer.ggml.tokens"], /^string\[384\]$/);
  assert.deepEqual(types.map(({ name }) => name), ["F32", "Q4_1"]);
  const table = tensors.find(({ name }) => name === "token_embd.weight");
  assert.deepEqual(table.shape, [384, 256]);
  assert.equal(tensors.reduce((sum, { bytes }) => sum + bytes, 0), types.reduce((sum, { bytes }) => sum + bytes, 0));
  assert.deepEqual(memory.contexts.map(({ tokens }) => tokens), [512]);
});

test("the header is fetched and nothing is kept; of a model that is kept nothing is fetched", async (t) => {
  const before = await t.lab("stored");
  const report = await inspect(t, t.url(REAL));
  assert.ok(report.networkBytes >= report.headerBytes, `${report.networkBytes} of ${report.headerBytes} bytes`);
  assert.ok(report.networkBytes <= 1.5 * report.headerBytes, `${report.networkBytes} for ${report.headerBytes} bytes`);
  assert.ok(report.fileBytes > 30 * report.networkBytes);
  assert.deepEqual(await t.lab("stored"), before);

  await t.load(t.url(TINY), TINY_OPTIONS);
  await t.lab("unload");
  await t.host.stop();
  const kept = await inspect(t, t.url(TINY));
  assert.equal(kept.networkBytes, 0);
  assert.equal(kept.architecture, "llama");
});

test("repositories, split models and files at hand are reported alike", async (t) => {
  const folder = await inspect(t, `${t.host.origin}/golden/tiny/llama3/`);
  assert.equal(folder.format, "safetensors");
  assert.equal(folder.device.canRun, true);
  assert.deepEqual(folder.memory.rounded.map(({ quantize }) => quantize).sort(), ["q4_0", "q8_0"]);
  const rounded = await inspect(t, `${t.host.origin}/golden/tiny/llama3/`, { quantize: "q8_0" });
  assert.ok(rounded.device.memoryBytes < folder.device.memoryBytes);

  const split = await inspect(t, `${t.host.origin}/golden/tiny/qwen3/qwen3-F16-split-00001-of-00003.gguf`);
  assert.equal(split.files, 3);
  assert.ok(split.tensors.some(({ name }) => name === "output_norm.weight"));

  const encoder = await inspect(t, `${t.host.origin}/golden/tiny/nomic-bert/nomic-bert-Q8_0.gguf`);
  assert.equal(encoder.embeddingDimensions, 32);

  const { value: local } = await t.page.evaluate(async (url) => {
    const blob = await (await fetch(url)).blob();
    return window.lab.attempt(() => window.lab.puna.inspect(new File([blob], "mine.gguf")));
  }, t.url(TINY));
  assert.equal(local.id, "mine.gguf");
  assert.equal(local.networkBytes, 0);
  assert.equal(local.fileBytes, fs.statSync(TINY.file).size);
});

test("why a model can't be run is in the report; what is no model is an error", async (t) => {
  const t5 = fs.readFileSync(path.join(root, "tests/golden/tokenizers/vocab/t5.gguf"));
  t.host.put("/t5.gguf", t5);
  const unknown = await inspect(t, `${t.host.origin}/t5.gguf`);
  assert.equal(unknown.architecture, "t5");
  assert.equal(unknown.memory, null);
  assert.equal(unknown.device.canRun, false);
  assert.equal(unknown.device.problem.code, "unsupported_model");
  assert.equal(unknown.device.problem.details.architecture, "t5");

  const small = await inspect(t, t.url(REAL), { device: "cpu", advanced: { memoryBytes: 2 ** 26 } });
  assert.equal(small.device.canRun, false);
  assert.equal(small.device.problem.code, "out_of_memory");
  assert.ok(small.device.problem.details.neededBytes > 2 ** 26);
  assert.ok(small.memory.weightsBytes > 2 ** 26);

  if (!t.hasWebGpu) {
    const { device } = await inspect(t, t.url(TINY), { device: "webgpu" });
    assert.equal(device.canRun, false);
    assert.equal(device.kind, "webgpu");
    assert.equal(device.problem.code, "unsupported_device");
  }

  t.host.put("/page.gguf", Buffer.from("<!DOCTYPE html><title>no</title>"));
  assert.equal((await attempt(t, `${t.host.origin}/page.gguf`)).error.code, "bad_model_file");
  assert.equal((await attempt(t, `${t.host.origin}/nothing.gguf`)).error.code, "network");
  const { error } = await attempt(t, t.url(TINY), { contextLenght: 1 });
  assert.equal(error.name, "InvalidRequestError");
  assert.equal(error.param, "contextLenght");
});
