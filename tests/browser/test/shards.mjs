// The sharded form: a manifest and files named by their hash, on any static host.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { greedy, REAL, root, TINY, TINY_OPTIONS } from "../context.mjs";
import { test } from "../suite.mjs";

const folder = (name) => path.join(root, "tests/out/shards", name);
const manifest = (name) => JSON.parse(fs.readFileSync(path.join(folder(name), "manifest.json"), "utf8"));
const urlOf = (t, name) => `${t.host.origin}/shards/${name}/manifest.json`;

for (const [name, model, options, seconds] of [
  ["tiny", TINY, TINY_OPTIONS, 120],
  // On the CPU, which is faster than a software adapter.
  ["real", REAL, { device: "cpu" }, 400],
]) {
  test(`the ${name} model answers alike from its shards and its file`, { seconds }, async (t) => {
    await t.load(t.url(model), options);
    const expected = await t.chat(greedy("Hello", 6));
    await t.lab("unload");
    const { info } = await t.load(urlOf(t, name), options);
    assert.equal(info.fileBytes, fs.statSync(model.file).size);
    assert.equal((await t.chat(greedy("Hello", 6))).choices[0].message.content, expected.choices[0].message.content);
    await t.lab("unload");
    await t.host.stop();
    const { events } = await t.load(urlOf(t, name), options);
    assert.equal(events.at(-1).networkBytes, 0, "the second load takes nothing from the network");
  });
}

test("a shard with a flipped bit is refused by name, and only it is fetched again", { seconds: 400 }, async (t) => {
  const { shards } = manifest("real");
  const bad = shards[Math.floor(shards.length / 2)];
  const at = `/shards/real/${bad.url}`;
  t.host.faults.add(at, { kind: "flip", at: Math.floor(bad.bytes / 2) });
  const error = await t.loadError(urlOf(t, "real"));
  assert.equal(error.code, "integrity", JSON.stringify(error));
  assert.ok(error.message.includes(bad.url), `${bad.url} is not named in: ${error.message}`);

  t.host.faults.clear();
  t.host.clearLog();
  await t.load(urlOf(t, "real"));
  assert.ok(t.host.sentBytes(at) >= bad.bytes, "the bad shard was not kept");
  const total = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  assert.ok(t.host.sentBytes() < total, "what was good is not fetched again");
});

test("a manifest that does not add up is refused", async (t) => {
  const good = manifest("tiny");
  const bad = [
    ["no JSON", "{"],
    ["another format", JSON.stringify({ ...good, format: "other" })],
    ["a later version", JSON.stringify({ ...good, version: 99 }), "unsupported_model"],
    ["a gap", JSON.stringify({ ...good, shards: good.shards.map((shard) => ({ ...shard, offset: shard.offset + 32 })) })],
    ["an absurd size", JSON.stringify({ ...good, shards: good.shards.map((shard) => ({ ...shard, bytes: 1e15 })) })],
    ["no hash", JSON.stringify({ ...good, shards: good.shards.map((shard) => ({ ...shard, sha256: "0" })) })],
  ];
  for (const [what, text, code = "bad_model_file"] of bad) {
    const url = t.host.put(`/manifests/${what.replaceAll(" ", "_")}/manifest.json`, Buffer.from(text));
    const error = await t.loadError(url, TINY_OPTIONS);
    assert.equal(error.code, code, `${what}: ${JSON.stringify(error)}`);
  }
});
