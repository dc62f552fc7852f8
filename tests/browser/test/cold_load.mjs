// The first load of a model: ranges, progress, what is known afterwards.
import assert from "node:assert/strict";
import fs from "node:fs";
import { greedy, REAL, TINY, TINY_OPTIONS } from "../context.mjs";
import { test } from "../suite.mjs";

test("says what the model is and what it runs on", async (t) => {
  const { info } = await t.loadTiny();
  assert.equal(info.architecture, "llama");
  assert.equal(info.vocabSize, 384);
  assert.equal(info.contextLength, 512);
  assert.equal(info.fileBytes, fs.statSync(TINY.file).size);
  assert.equal(info.device.kind, t.hasWebGpu ? "webgpu" : "cpu");
  assert.notEqual(info.device.reason, "", "why");
  if (!t.hasWebGpu) return;
  assert.ok(["subgroup", "shared", "serial"].includes(info.device.variant), `variant ${info.device.variant}`);
  assert.equal(info.device.dispatchesPerLayer, 5);
  assert.ok(["f32", "f16"].includes(info.device.precision), `precision ${info.device.precision}`);
});

test("tells its progress from the header to the last byte", async (t) => {
  const { events } = await t.loadTiny();
  const size = fs.statSync(TINY.file).size;
  const stages = [...new Set(events.map((event) => event.stage))];
  assert.deepEqual(stages.filter((stage) => stage !== "header"), ["weights", "ready"]);
  const loaded = events.map((event) => event.loadedBytes);
  assert.deepEqual(loaded, loaded.toSorted((a, b) => a - b), "loaded bytes never go back");
  const { loadedBytes, totalBytes, networkBytes, cachedBytes } = events.at(-1);
  assert.deepEqual({ loadedBytes, totalBytes, networkBytes, cachedBytes }, { loadedBytes: size, totalBytes: size, networkBytes: size, cachedBytes: 0 });
});

test("reads the header by a small range, then at least four ranges at once, and no byte twice", { seconds: 300 }, async (t) => {
  // Slow enough for answers to overlap, fast enough for a test.
  t.host.faults.add(REAL.path, { kind: "throttle", bytesPerSecond: 20e6 });
  await t.load(t.url(REAL));
  const size = fs.statSync(REAL.file).size;
  const gets = t.host.log.filter((entry) => entry.path === REAL.path && entry.method === "GET");
  assert.equal(gets[0].range?.first, 0, "the first request is for a range from the start");
  assert.ok(gets[0].range.last < 4 * 2 ** 20, `the first range ends at ${gets[0].range.last}`);
  assert.ok(t.host.mostInFlight(REAL.path) >= 4, `${t.host.mostInFlight(REAL.path)} at once`);
  const sent = t.host.sentBytes(REAL.path);
  // To the byte: ranges for the header go on where the one before ended, what they brought beyond the header is not asked
  // for again, and the ranges of the weights meet each other. Caching is on, so that no part is left out.
  assert.equal(sent, size, `sent ${sent} bytes of a file of ${size}`);
});

test("takes a file at hand", async (t) => {
  const bytes = fs.readFileSync(TINY.file).toString("base64");
  const result = await t.lab("loadBytes", bytes, { device: t.device, ...TINY_OPTIONS });
  assert.equal(result.error, undefined);
  const completion = await t.chat(greedy("Hello", 4));
  assert.ok(completion.usage.completion_tokens > 0);
  assert.equal(t.host.sentBytes(), 0, "nothing was fetched");
});

test("keeps nothing with cache none", async (t) => {
  await t.loadTiny({ cache: "none" });
  const bytes = (await t.lab("stored")).reduce((sum, file) => sum + file.bytes, 0);
  assert.ok(bytes < 4096, `${bytes} bytes are stored`);
});

test("keeps the file by default", async (t) => {
  await t.loadTiny();
  const bytes = (await t.lab("stored")).reduce((sum, file) => sum + file.bytes, 0);
  assert.ok(bytes >= fs.statSync(TINY.file).size, `${bytes} bytes are stored`);
});

test("refuses an option that it does not know, by name", async (t) => {
  const error = await t.loadError(t.url(TINY), { chatTemplat: "x" });
  assert.equal(error.code, "invalid_request");
  assert.match(error.message, /chatTemplat\b/);
});

test("refuses a value that an option can't have, by the name that the caller gave it", async (t) => {
  for (const [options, param] of [
    [{ contextLength: 0 }, "contextLength"],
    [{ cache: "disk" }, "cache"],
    [{ advanced: { variant: "fast" } }, "advanced.variant"],
  ]) {
    const error = await t.loadError(t.url(TINY), options);
    assert.equal(error.code, "invalid_request", JSON.stringify(error));
    assert.equal(error.param, param);
  }
});

test("refuses a URL with a password, without repeating it or asking the server", async (t) => {
  const error = await t.loadError(t.url(TINY).replace("//", "//me:secret@"), TINY_OPTIONS);
  assert.equal(error.name, "InvalidRequestError");
  assert.equal(error.code, "invalid_request");
  assert.equal(error.param, "source");
  assert.doesNotMatch(JSON.stringify(error), /secret/);
  assert.deepEqual(t.host.log, []);
});

test("refuses to insist on keeping a file at hand", async (t) => {
  const bytes = fs.readFileSync(TINY.file).toString("base64");
  const { error } = await t.lab("loadBytes", bytes, { device: t.device, ...TINY_OPTIONS, cache: "opfs" });
  assert.equal(error?.name, "InvalidRequestError");
  assert.equal(error.code, "invalid_request");
});
