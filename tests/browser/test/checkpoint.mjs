// Hugging Face's form of a model: a folder with config.json, a tokenizer's files and safetensors.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { TINY_OPTIONS, bytesOf, greedy, root } from "../context.mjs";
import { test } from "../suite.mjs";

const golden = (name, file = "") => path.join(root, "tests/golden/tiny", name, file);
const urlOf = (t, name) => `${t.host.origin}/golden/tiny/${name}/`;
/** What is no part of a repository. */
const OURS = /\.gguf$|^expected\./;
const filesOf = (name) => fs.readdirSync(golden(name)).filter((file) => !OURS.test(file));
const sizeOf = (name) => filesOf(name).reduce((sum, file) => sum + fs.statSync(golden(name, file)).size, 0);

/** A prompt's ids, and the logits behind its last, as the authors' library has them. */
function recorded(name) {
  const file = fs.readFileSync(golden(name, "expected.safetensors"));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const table = JSON.parse(file.subarray(8, start));
  const bytes = (key) => file.subarray(start + table[key].data_offsets[0], start + table[key].data_offsets[1]);
  const ids = Array.from({ length: table.input_ids.shape[0] }, (_, i) => bytes("input_ids").readInt32LE(4 * i));
  const [tokens, vocab] = table.logits.shape;
  const logit = (id) => bytes("logits").readFloatLE(4 * ((tokens - 1) * vocab + id));
  return { ids, top: Array.from({ length: vocab }, (_, id) => [id, logit(id)]) };
}

/** The cache of keys and values is in f16; logits have a standard deviation of 1.5. */
const LOGITS = 0.02;

for (const name of ["qwen2", "gemma3"]) {
  test(`${name}: logits are those of its authors' library`, async (t) => {
    const { ids, top } = recorded(name);
    const given = { url: urlOf(t, name), options: {}, prompts: { recorded: { ids, exact: { top } } }, ids };
    const { worst } = await t.logitsOnCpu(given);
    assert.ok(worst.recorded <= LOGITS, `a logit is ${worst.recorded} off, at most ${LOGITS} allowed`);
  });
}

test("loads from its files, then without a byte from the network, and says the same on CPU and GPU", async (t) => {
  const all = sizeOf("llama3");
  const first = await t.load(urlOf(t, "llama3"), TINY_OPTIONS);
  assert.equal(first.info.name, "llama3", "named by its folder");
  assert.ok(first.info.fileBytes >= all && first.info.fileBytes < all + 64, `${first.info.fileBytes} of ${all} bytes`);
  assert.deepEqual(bytesOf(first), { cachedBytes: 0, networkBytes: all });
  const answer = await t.chat(greedy("Déjà vu", 12));
  await t.lab("unload");

  await t.host.stop();
  await t.openPage();
  const second = await t.load(urlOf(t, "llama3"), { ...TINY_OPTIONS, device: "cpu" });
  assert.deepEqual(bytesOf(second), { cachedBytes: first.info.fileBytes, networkBytes: 0 });
  assert.deepEqual((await t.chat(greedy("Déjà vu", 12))).choices, answer.choices);
});

test("loads from a server without ranges, where optional files may be empty", async (t) => {
  for (const file of filesOf("olmo2")) {
    t.host.put(`/plain/${file}`, fs.readFileSync(golden("olmo2", file)));
    t.host.faults.add(`/plain/${file}`, { kind: "no_range" });
  }
  t.host.put("/plain/special_tokens_map.json", Buffer.alloc(0));
  const load = () => t.load(`${t.host.origin}/plain/`, TINY_OPTIONS);
  await load();
  const answer = await t.chat(greedy("Hello", 8));
  await t.lab("unload");
  assert.equal((await load()).events.at(-1).networkBytes, 0, "the second load takes nothing from the network");
  assert.deepEqual((await t.chat(greedy("Hello", 8))).choices, answer.choices);
});

test("loads from files at hand", async (t) => {
  const urls = filesOf("llama3").map((file) => urlOf(t, "llama3") + file);
  const { events } = await t.loadFiles(urls, TINY_OPTIONS);
  assert.equal(events.at(-1).networkBytes, 0);
  const answer = await t.chat(greedy("Hello", 10));
  await t.lab("unload");
  await t.load(urlOf(t, "llama3"), TINY_OPTIONS);
  assert.deepEqual((await t.chat(greedy("Hello", 10))).choices, answer.choices, "as from the server");

  const fewer = urls.filter((url) => !url.endsWith("00002-of-00003.safetensors"));
  const { error } = await t.lab("loadFiles", fewer, { device: t.device });
  assert.equal(error.code, "invalid_request", JSON.stringify(error));
  assert.match(error.message, /model-00002-of-00003\.safetensors is missing/);
  const alone = await t.lab("loadFiles", [urls.find((url) => url.endsWith(".safetensors"))], { device: t.device });
  assert.match(alone.error.message, /a safetensors file: name the folder/);
});

test("floats are rounded while they come, on CPU and GPU alike", async (t) => {
  const url = urlOf(t, "mistral");
  const options = { ...TINY_OPTIONS, quantize: "q8_0", kvCache: "f16" };
  await t.load(url, options);
  const answer = await t.chat(greedy("Hello", 10));
  await t.lab("unload");
  await t.load(url, { ...options, device: "cpu" });
  assert.deepEqual((await t.chat(greedy("Hello", 10))).choices, answer.choices, "from the cache, to the other device");
  const refused = await t.loadError(url, { ...options, quantize: "q4_k" });
  assert.equal(refused.code, "invalid_request", JSON.stringify(refused));
  assert.match(refused.message, /quantize.*q8_0/);
});

test("what is missing, or not supported, is named before any weight is fetched", async (t) => {
  const put = (folder, file, bytes) => t.host.put(`/${folder}/${file}`, bytes);
  const copy = (folder, without, changed = {}) => {
    for (const file of filesOf("qwen2").filter((file) => file !== without)) {
      put(folder, file, changed[file] ?? fs.readFileSync(golden("qwen2", file)));
    }
    return `${t.host.origin}/${folder}/`;
  };
  const missing = await t.loadError(copy("no-tokenizer", "tokenizer.json"));
  assert.equal(missing.code, "network", JSON.stringify(missing));
  assert.match(missing.message, /tokenizer\.json/);

  const config = JSON.parse(fs.readFileSync(golden("qwen2", "config.json"), "utf8"));
  const changed = (change) => ({ "config.json": Buffer.from(JSON.stringify({ ...config, ...change })) });
  const other = await t.loadError(copy("other", "", changed({ model_type: "mamba2" })));
  assert.equal(other.code, "unsupported_model", JSON.stringify(other));
  assert.match(other.message, /"mamba2".*qwen2/);

  const quantised = changed({ quantization_config: { quant_method: "awq" } });
  const awq = await t.loadError(copy("awq", "", quantised));
  assert.equal(awq.code, "unsupported_model", JSON.stringify(awq));
  assert.match(awq.message, /quantization_config.*awq/);

  const wide = await t.loadError(copy("wide", "", changed({ hidden_size: 128 })));
  assert.equal(wide.code, "bad_model_file", JSON.stringify(wide));
  assert.match(wide.message, /expected \[128, 384\]/);

  // Optional files that a server of pages answers with a page.
  const page = Buffer.from("<!DOCTYPE html><title>Not found</title>");
  const url = copy("pages", "", { "generation_config.json": page, "special_tokens_map.json": page });
  assert.equal((await t.load(url)).info.name, "pages");
});
