// The second load: from the browser's own storage, also when the server is gone.
import assert from "node:assert/strict";
import fs from "node:fs";
import { greedy, REAL, TINY, TINY_OPTIONS } from "../context.mjs";
import { test } from "../suite.mjs";

// What runs the model is not the point: for the real one the CPU, which is faster than a software adapter.
for (const [name, model, options, seconds] of [
  ["the tiny model", TINY, TINY_OPTIONS, 120],
  ["the real model", REAL, { device: "cpu" }, 400],
]) {
  test(`${name} loads a second time without a byte from the network, then without its server`, { seconds }, async (t) => {
    const size = fs.statSync(model.file).size;
    await t.load(t.url(model), options);
    const first = await t.chat(greedy("Hello", 4));
    await t.lab("unload");

    t.host.clearLog();
    const { events } = await t.load(t.url(model), options);
    assert.equal(t.host.sentBytes(), 0, "the server sent no byte of a body");
    const { cachedBytes, networkBytes, loadedBytes } = events.at(-1);
    assert.deepEqual({ cachedBytes, networkBytes, loadedBytes }, { cachedBytes: size, networkBytes: 0, loadedBytes: size });
    await t.lab("unload");

    await t.host.stop();
    await t.openPage();
    await t.load(t.url(model), options);
    assert.deepEqual((await t.chat(greedy("Hello", 4))).choices, first.choices, "the same answer from the same bytes");
  });
}

test("a file that the server has replaced is fetched anew by who asks, and the kept one is used without a server", async (t) => {
  const bytes = fs.readFileSync(TINY.file);
  const url = t.host.put("/model.gguf", bytes);
  await t.load(url, TINY_OPTIONS);
  await t.lab("unload");
  t.host.put("/other.gguf", bytes);
  t.host.put("/model.gguf", bytes);
  const fromNetwork = async (options) => {
    const { events } = await t.load(url, { ...TINY_OPTIONS, ...options });
    await t.lab("unload");
    return events.at(-1).networkBytes;
  };
  assert.equal(await fromNetwork({}), 0, "nobody is asked by default");
  assert.equal(await fromNetwork({ revalidate: true }), bytes.length, "the new file comes from the network");
  assert.equal(await fromNetwork({ revalidate: true }), 0, "it has not changed again");
  await t.host.stop();
  assert.equal(await fromNetwork({ revalidate: true }), 0, "without an answer, what is kept is used");
});

test("a stored file that was damaged is noticed and mended", async (t) => {
  await t.loadTiny();
  const first = await t.chat(greedy("Hello", 8));
  await t.lab("unload");
  const damaged = await t.page.evaluate(async (size) => {
    const files = [];
    const walk = async (folder) => {
      for await (const handle of folder.values()) {
        if (handle.kind === "directory") await walk(handle);
        else files.push({ handle, bytes: (await handle.getFile()).size });
      }
    };
    await walk(await navigator.storage.getDirectory());
    // Larger ones are other models'.
    const [smallest] = files.filter(({ bytes }) => bytes >= size).sort((a, b) => a.bytes - b.bytes);
    if (smallest === undefined) return false;
    const writable = await smallest.handle.createWritable({ keepExistingData: true });
    await writable.write({ type: "write", position: size - 1000, data: new Uint8Array(64).fill(0xff) });
    await writable.close();
    return true;
  }, fs.statSync(TINY.file).size);
  assert.ok(damaged, "the stored file was found");
  const { events } = await t.loadTiny();
  assert.ok(events.at(-1).networkBytes > 0, "the damaged part comes from the network");
  assert.deepEqual((await t.chat(greedy("Hello", 8))).choices, first.choices);
});
