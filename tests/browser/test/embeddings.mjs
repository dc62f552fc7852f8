// Vectors of texts, by an encoder.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { greedy, root } from "../context.mjs";
import { test } from "../suite.mjs";

const TINY = path.join(root, "tests/golden/tiny");
const FOLDER = path.join(TINY, "bert");
const urlOf = (t, file, model = "bert") => `${t.host.origin}/golden/tiny/${model}/${file}`;
/** Of the model; more is refused. */
const CONTEXT = 48;

/** Of cosines; what comes in 8 bits is multiplied as such on the CPU. */
const LEAST = { webgpu: 0.99995, cpu: 0.9995 };

/** A text's ids and its vector, as the authors' library has them. */
function recorded(type, model = "bert") {
  const file = fs.readFileSync(path.join(TINY, model, "expected.safetensors"));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const table = JSON.parse(file.subarray(8, start));
  const words = (key, read) => {
    const [from, to] = table[key].data_offsets.map((at) => start + at);
    return Array.from({ length: (to - from) / 4 }, (_, i) => file[read](from + 4 * i));
  };
  const hidden = words(`${type}hidden`, "readFloatLE");
  return { ids: words("input_ids", "readInt32LE"), pooled: words(`${type}pooled`, "readFloatLE"), hidden };
}

const product = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

async function embed(t, request) {
  const { value, error } = await t.lab("embed", request);
  assert.equal(error, undefined, JSON.stringify(error));
  return value;
}

for (const [model, what, file, type] of [
  ["bert", "a repository", "", ""],
  ["bert", "a GGUF", "bert-Q8_0.gguf", "Q8_0."],
  ["nomic-bert", "a repository", "", ""],
  ["nomic-bert", "a GGUF", "nomic-bert-Q8_0.gguf", "Q8_0."],
]) {
  test(`${model}, ${what}: vectors are those of the authors' library, on GPU and CPU`, async (t) => {
    const { ids, pooled } = recorded(type, model);
    for (const device of [t.device, "cpu"]) {
      const { info } = await t.load(urlOf(t, file, model), { device });
      const least = LEAST[info.device.kind];
      assert.equal(info.embeddingDimensions, pooled.length);
      assert.equal(info.contextLength, CONTEXT);
      // One after another, of several lengths: nothing is left of the one before.
      const { data, usage } = await embed(t, { input: [ids.slice(0, 3), ids, [ids[0]], ids] });
      assert.equal(usage.prompt_tokens, 84);
      assert.deepEqual(data.map(({ index }) => index), [0, 1, 2, 3]);
      const cosine = product(data[1].embedding, pooled);
      assert.ok(cosine >= least, `${device}: the cosine is ${cosine}, expected at least ${least}`);
      assert.deepEqual(data[3].embedding, data[1].embedding);
      await t.lab("unload");
    }
  });
}

test("a repository says how its vectors are pooled, from a server and from files at hand", async (t) => {
  const { ids, pooled, hidden } = recorded("");
  const first = hidden.slice(0, pooled.length);
  const names = ["config.json", "tokenizer.json", "model.safetensors"];
  for (const name of names) t.host.put(`/first/${name}`, fs.readFileSync(path.join(FOLDER, name)));
  const pooling = { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false };
  t.host.put("/first/1_Pooling/config.json", Buffer.from(JSON.stringify(pooling)));
  const urls = ["1_Pooling/config.json", ...names].map((name) => `${t.host.origin}/first/${name}`);
  for (const load of [() => t.load(`${t.host.origin}/first/`, { device: "cpu" }), () => t.loadFiles(urls, { device: "cpu" })]) {
    await load();
    const { data } = await embed(t, { input: ids });
    const cosine = product(data[0].embedding, first) / Math.sqrt(product(first, first));
    assert.ok(cosine > 0.9995, `the cosine with the first token's is ${cosine}`);
    await t.lab("unload");
  }
});

test("texts are framed as the model asks, in every form of a request", async (t) => {
  await t.load(urlOf(t, ""), { device: t.device });
  const one = await embed(t, { input: "the cat" });
  const several = await embed(t, { input: ["a", "the cat"], model: "mine" });
  assert.equal(several.model, "mine");
  assert.ok(several.usage.prompt_tokens > one.usage.prompt_tokens, "both count");
  assert.deepEqual(several.data[1].embedding, one.data[0].embedding);
  const length = product(one.data[0].embedding, one.data[0].embedding);
  assert.ok(Math.abs(length - 1) < 1e-5, `a vector of length ${length}`);
  const coded = await embed(t, { input: "the cat", encoding_format: "base64" });
  const bytes = Buffer.from(coded.data[0].embedding, "base64");
  assert.deepEqual(Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i)), one.data[0].embedding.map(Math.fround));
  const short = await embed(t, { input: "the cat", dimensions: 8 });
  assert.equal(short.data[0].embedding.length, 8);
});

test("what can't be done is said, and the next request is answered", async (t) => {
  await t.load(urlOf(t, ""), { device: t.device });
  for (const [request, code, says] of [
    [{}, "invalid_request", /'input'/],
    [{ input: "a", dimensions: 99 }, "invalid_request", /dimensions.*32/],
    [{ input: [[99999]] }, "invalid_request", /99999/],
    [{ input: "word ".repeat(100) }, "context_length_exceeded", /48 tokens/],
  ]) {
    const { error } = await t.lab("embed", request);
    assert.equal(error?.code, code, JSON.stringify(error));
    assert.match(error.message, says);
  }
  const stopped = await t.lab("embed", { input: "a" }, { abort: true });
  assert.equal(stopped.error?.code, "aborted", JSON.stringify(stopped));
  const refused = await t.chatError(greedy("Hello", 3));
  assert.equal(refused.code, "invalid_request");
  assert.match(refused.message, /embeddings/);
  assert.equal((await embed(t, { input: "a" })).data.length, 1);
  await t.lab("unload");

  await t.loadTiny();
  const { error } = await t.lab("embed", { input: "a" });
  assert.equal(error?.code, "invalid_request", JSON.stringify(error));
  assert.match(error.message, /writes texts/);
});
