// A server without ranges: one streaming GET.
import assert from "node:assert/strict";
import fs from "node:fs";
import { greedy, REAL, TINY } from "../context.mjs";
import { test } from "../suite.mjs";

for (const [name, model, limits] of [
  ["the tiny model", TINY, {}],
  ["the real model", REAL, { seconds: 300, full: true }],
]) {
  test(`${name} loads by one GET and is kept`, limits, async (t) => {
    t.host.faults.add(model.path, { kind: "no_range" });
    const load = () => (model === TINY ? t.loadTiny() : t.load(t.url(model)));
    await load();
    const size = fs.statSync(model.file).size;
    const whole = t.host.log.filter((entry) => entry.path === model.path && entry.method === "GET" && entry.whole);
    assert.equal(whole.length, 1, `${whole.length} whole answers`);
    const sent = t.host.sentBytes(model.path);
    // An answer that was given up before is allowed what was on the way.
    assert.ok(sent < size + 4 * 2 ** 20, `sent ${sent} bytes of a file of ${size}`);
    const first = await t.chat(greedy("Hello", 2));
    await t.lab("unload");
    t.host.clearLog();
    const { events } = await load();
    assert.equal(events.at(-1).networkBytes, 0, "the second load takes nothing from the network");
    assert.deepEqual((await t.chat(greedy("Hello", 2))).choices, first.choices);
  });
}
