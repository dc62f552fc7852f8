// A model in several files, as llama.cpp splits them: named by the first, the others beside it.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { bytesOf, greedy, root } from "../context.mjs";
import { test } from "../suite.mjs";

const folder = path.join(root, "tests/golden/tiny/qwen3");
const part = (no) => `qwen3-F16-split-0000${no}-of-00003.gguf`;
const urlOf = (t, no) => `${t.host.origin}/golden/tiny/qwen3/${part(no)}`;
const size = (no) => fs.statSync(path.join(folder, part(no))).size;
const ALL = size(1) + size(2) + size(3);

test("loads from its files by the first one's address, then without a byte from the network", async (t) => {
  const first = await t.load(urlOf(t, 1));
  assert.equal(first.info.fileBytes, ALL);
  assert.deepEqual(bytesOf(first), { cachedBytes: 0, networkBytes: ALL });
  const answer = await t.chat(greedy("Hello", 8));
  await t.lab("unload");

  await t.host.stop();
  await t.openPage();
  assert.deepEqual(bytesOf(await t.load(urlOf(t, 1))), { cachedBytes: ALL, networkBytes: 0 });
  assert.deepEqual((await t.chat(greedy("Hello", 8))).choices, answer.choices, "the same answer from the same bytes");
});

test("loads from files at hand, in whatever order they were picked", async (t) => {
  const { info, events } = await t.loadFiles([3, 1, 2].map((no) => urlOf(t, no)));
  assert.equal(info.fileBytes, ALL);
  assert.deepEqual(bytesOf({ events }), { cachedBytes: ALL, networkBytes: 0 });
  const answer = await t.chat(greedy("Hello", 8));
  await t.lab("unload");
  await t.load(urlOf(t, 1));
  assert.deepEqual((await t.chat(greedy("Hello", 8))).choices, answer.choices, "as from the server");

  const { error } = await t.lab("loadFiles", [3, 1].map((no) => urlOf(t, no)), { device: t.device });
  assert.equal(error.code, "bad_model_file", JSON.stringify(error));
  assert.match(error.message, /expected part 1 of 2|expected part 2 of 2/);
});

test("a later part, a missing one and one of another model are refused by name", async (t) => {
  const later = await t.loadError(urlOf(t, 2));
  assert.equal(later.code, "unsupported_model", JSON.stringify(later));
  assert.match(later.message, /part 2 of 3 .* name the first part, NAME-00001-of-00003\.gguf/);

  const bytes = (no) => fs.readFileSync(path.join(folder, part(no)));
  const url = t.host.put("/m-00001-of-00003.gguf", bytes(1));
  const missing = await t.loadError(url);
  assert.equal(missing.code, "network", JSON.stringify(missing));
  assert.match(missing.message, /m-00002-of-00003\.gguf/);

  t.host.put("/m-00002-of-00003.gguf", bytes(3));
  t.host.put("/m-00003-of-00003.gguf", bytes(2));
  const mixed = await t.loadError(url);
  assert.equal(mixed.code, "bad_model_file", JSON.stringify(mixed));
  assert.match(mixed.message, /expected part 2 of 3 of a split model; the file is part 3 of 3/);
});
