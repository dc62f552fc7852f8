// A load that was stopped on the way leaves what it had, and the next one fetches only the rest.
import assert from "node:assert/strict";
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { REAL } from "../context.mjs";
import { test } from "../suite.mjs";

const MIB = 2 ** 20;
const STOP_AT_BYTES = 40 * MIB;

/** Loads the rest and holds the server's count of bytes against what the load says was kept. */
async function loadRest(t) {
  t.host.faults.clear();
  t.host.clearLog();
  const { events } = await t.load(t.url(REAL));
  const size = fs.statSync(REAL.file).size;
  const { cachedBytes, networkBytes } = events.at(-1);
  assert.equal(cachedBytes + networkBytes, size);
  // Chunks that were on the way when it stopped are lost: four lanes of 4 MiB at most.
  assert.ok(cachedBytes >= STOP_AT_BYTES - 20 * MIB, `${cachedBytes} bytes were kept`);
  const sent = t.host.sentBytes(REAL.path);
  assert.ok(sent <= size - cachedBytes + MIB, `sent ${sent} bytes, missing were ${size - cachedBytes}`);
  assert.ok(sent >= networkBytes, `sent ${sent} bytes, the load says ${networkBytes}`);
}

test("after an abort only what is missing is fetched", { seconds: 300 }, async (t) => {
  t.host.faults.add(REAL.path, { kind: "throttle", bytesPerSecond: 10e6 });
  const error = await t.loadError(t.url(REAL), {}, { abortAtBytes: STOP_AT_BYTES });
  assert.equal(error.name, "AbortError");
  assert.equal(error.code, "aborted");
  const size = fs.statSync(REAL.file).size;
  assert.ok(t.host.sentBytes(REAL.path) < size - 10 * MIB, "the load stopped on the way");
  await sleep(500);
  const sent = t.host.sentBytes(REAL.path);
  await sleep(1000);
  assert.equal(t.host.sentBytes(REAL.path), sent, "nothing is fetched after the abort");
  await loadRest(t);
});

test("after the page was closed only what is missing is fetched", { seconds: 300 }, async (t) => {
  t.host.faults.add(REAL.path, { kind: "throttle", bytesPerSecond: 10e6 });
  t.lab("load", t.url(REAL)).catch(() => {});
  while (t.host.sentBytes(REAL.path) < STOP_AT_BYTES + 10 * MIB) await sleep(50);
  await t.openPage();
  await loadRest(t);
});

test("after the server went away only what is missing is fetched", { seconds: 300 }, async (t) => {
  t.host.faults.add(REAL.path, { kind: "throttle", bytesPerSecond: 10e6 });
  const loading = t.loadError(t.url(REAL));
  while (t.host.sentBytes(REAL.path) < STOP_AT_BYTES + 10 * MIB) await sleep(50);
  await t.host.stop();
  assert.equal((await loading).code, "network");
  await t.host.start();
  await loadRest(t);
});
