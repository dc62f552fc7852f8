// What the browser keeps of models: named and removed without loading any.
import assert from "node:assert/strict";
import fs from "node:fs";
import { REAL, TINY, TINY_OPTIONS } from "../context.mjs";
import { test } from "../suite.mjs";

/** Both give `{ value }` or `{ error }`. */
const list = (t) => t.page.evaluate(() => window.lab.attempt(() => window.lab.puna.listModels()));
const remove = (t, url) => t.page.evaluate((url) => window.lab.attempt(() => window.lab.puna.removeModel(url)), url);

test("a model is named once it is kept, and fetched again once it is removed", async (t) => {
  const url = t.url(TINY);
  const size = fs.statSync(TINY.file).size;
  assert.deepEqual(await list(t), { value: [] });
  assert.deepEqual(await remove(t, url), { value: false });
  await t.load(url, TINY_OPTIONS);
  await t.lab("unload");
  assert.deepEqual(await list(t), { value: [{ url, fileBytes: size, storedBytes: size, isComplete: true }] });

  assert.deepEqual(await remove(t, `${t.host.origin}/other.gguf`), { value: false });
  assert.deepEqual(await remove(t, `${url}#part`), { value: true });
  assert.deepEqual(await list(t), { value: [] });
  assert.deepEqual(await remove(t, url), { value: false });
  const bytes = (await t.lab("stored")).reduce((sum, file) => sum + file.bytes, 0);
  assert.ok(bytes < 4096, `${bytes} bytes are stored`);

  const { events } = await t.load(url, TINY_OPTIONS);
  assert.equal(events.at(-1).networkBytes, size, "it comes from the network again");
});

test("a load that was stopped is named with the bytes that it left", { seconds: 300 }, async (t) => {
  t.host.faults.add(REAL.path, { kind: "throttle", bytesPerSecond: 10e6 });
  const error = await t.loadError(t.url(REAL), {}, { abortAtBytes: 40 * 2 ** 20 });
  assert.equal(error.code, "aborted");
  const { value } = await list(t);
  assert.equal(value?.length, 1);
  const { url, fileBytes, storedBytes, isComplete } = value[0];
  assert.equal(url, t.url(REAL));
  assert.equal(fileBytes, fs.statSync(REAL.file).size);
  assert.ok(storedBytes > 0 && storedBytes < fileBytes, `${storedBytes} of ${fileBytes} bytes`);
  assert.equal(isComplete, false);
  assert.deepEqual(await remove(t, url), { value: true });
  assert.deepEqual(await list(t), { value: [] });
});

test("what is no address is refused", async (t) => {
  for (const url of ["http://", "http://me:secret@127.0.0.1/a.gguf"]) {
    const { error } = await remove(t, url);
    assert.equal(error?.name, "InvalidRequestError");
    assert.equal(error.param, "url");
  }
});
