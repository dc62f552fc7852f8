// The test server's own tests: a fault that does not happen would make every test that relies on it pass.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { StaticServer } from "./server.mjs";

const SIZE = 300_000;
const contents = Buffer.from(Array.from({ length: SIZE }, (_, ix) => (ix * 7 + (ix >> 8)) & 255));
let folder, server, url;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "puna-server-"));
  fs.writeFileSync(path.join(folder, "file.bin"), contents);
  fs.writeFileSync(path.join(folder, "page.html"), "<p>");
  server = await new StaticServer({ "/files": folder }).start();
  url = `${server.origin}/files/file.bin`;
});
after(async () => {
  await server.stop();
  fs.rmSync(folder, { recursive: true });
});
beforeEach(() => {
  server.faults.clear();
  server.clearLog();
});

const bytesOf = async (response) => Buffer.from(await response.arrayBuffer());
const range = (first, last) => ({ headers: { Range: `bytes=${first}-${last}` } });

test("a whole file is sent with isolation and its type", async () => {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("accept-ranges"), "bytes");
  assert.equal(response.headers.get("cross-origin-embedder-policy"), "require-corp");
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  assert.deepEqual(await bytesOf(response), contents);
  const page = await fetch(`${server.origin}/files/page.html`);
  assert.match(page.headers.get("content-type"), /text\/html/);
  await page.text();
});

test("a range is sent exactly and counted", async () => {
  const response = await fetch(url, range(100, 70_100));
  assert.equal(response.status, 206);
  assert.equal(response.headers.get("content-range"), `bytes 100-70100/${SIZE}`);
  assert.deepEqual(await bytesOf(response), contents.subarray(100, 70_101));
  assert.equal(server.sentBytes("/files/file.bin"), 70_001);
  assert.deepEqual(server.log[0].range, { first: 100, last: 70_100 });
  assert.equal(server.log[0].whole, true);
});

test("a range past the end is unsatisfiable, a path out of the folder is not found", async () => {
  assert.equal((await fetch(url, range(SIZE, SIZE + 1))).status, 416);
  assert.equal((await fetch(`${server.origin}/files/..%2f..%2fetc%2fpasswd`)).status, 404);
  assert.equal((await fetch(`${server.origin}/other`)).status, 404);
});

test("a status fault is used as often as asked, then the file comes", async () => {
  server.faults.add("/files/file.bin", { kind: "status", status: 503, times: 2 });
  assert.equal((await fetch(url)).status, 503);
  assert.equal((await fetch(url)).status, 503);
  const response = await fetch(url);
  assert.equal(response.status, 200);
  await response.arrayBuffer();
});

test("a dropped answer ends after its bytes", async () => {
  server.faults.add("/files/file.bin", { kind: "drop", after: 100_000, times: 1 });
  const response = await fetch(url);
  let got = 0;
  await assert.rejects(async () => {
    for await (const piece of response.body) got += piece.length;
  });
  assert.equal(got, 100_000);
  assert.equal(server.log[0].whole, false);
});

test("a refused connection gives no answer", async () => {
  server.faults.add("/files/file.bin", { kind: "refuse", times: 1 });
  await assert.rejects(fetch(url));
});

test("a wrong range says another place than asked", async () => {
  server.faults.add("/files/file.bin", { kind: "wrong_range" });
  const response = await fetch(url, range(0, 9));
  assert.equal(response.headers.get("content-range"), `bytes 1-10/${SIZE + 1}`);
  await response.arrayBuffer();
});

test("without ranges the whole file comes with status 200", async () => {
  server.faults.add("/files/file.bin", { kind: "no_range" });
  const response = await fetch(url, range(5, 9));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("accept-ranges"), null);
  assert.equal((await bytesOf(response)).length, SIZE);
});

test("one bit is flipped, in whole files and in ranges", async () => {
  server.faults.add("/files/file.bin", { kind: "flip", at: 200_000 });
  for (const [response, first] of [
    [await fetch(url), 0],
    [await fetch(url, range(199_990, 200_010)), 199_990],
  ]) {
    const got = await bytesOf(response);
    const wrong = [...got.keys()].filter((ix) => got[ix] !== contents[first + ix]);
    assert.deepEqual(wrong, [200_000 - first]);
    assert.equal(got[wrong[0]] ^ contents[200_000], 1);
  }
});

test("another ETag is told, and a fault may wait for a later range", async () => {
  server.faults.add("/files/file.bin", { kind: "etag", etag: '"other"', from: 1000 });
  const early = await fetch(url, range(0, 9));
  const late = await fetch(url, range(1000, 1009));
  assert.notEqual(early.headers.get("etag"), '"other"');
  assert.equal(late.headers.get("etag"), '"other"');
  await Promise.all([early.arrayBuffer(), late.arrayBuffer()]);
});

test("a throttled answer takes its time, and answers at the same time are counted", async () => {
  server.faults.add("/files/file.bin", { kind: "throttle", bytesPerSecond: 300_000 });
  const start = performance.now();
  await Promise.all([0, 1, 2].map(async (ix) => (await fetch(url, range(ix * 65_536, ix * 65_536 + 65_535))).arrayBuffer()));
  assert.ok(performance.now() - start > 150, "64 KiB at 300 kB/s");
  assert.equal(server.mostInFlight("/files/file.bin"), 3);
});

test("bytes without a file are served, ranges too", async () => {
  const at = server.put("/made.gguf", contents);
  assert.deepEqual(await bytesOf(await fetch(at, range(10, 200_000))), contents.subarray(10, 200_001));
});

test("headers that are asked for come with every answer", async () => {
  const policed = await new StaticServer({ "/files": folder }, { headers: { "Content-Security-Policy": "default-src 'none'" } }).start();
  for (const path of ["/files/page.html", "/other"]) {
    const response = await fetch(policed.origin + path);
    assert.equal(response.headers.get("content-security-policy"), "default-src 'none'");
    await response.text();
  }
  await policed.stop();
});

test("what is sent along is kept", async () => {
  await fetch(`${server.origin}/reports`, { method: "POST", body: "what a page says" });
  assert.deepEqual(
    server.log.map(({ method, path, status, body }) => [method, path, status, body]),
    [["POST", "/reports", 404, "what a page says"]],
  );
});

test("a stopped server refuses, and starts again at the same place", async () => {
  const before = server.origin;
  await server.stop();
  await assert.rejects(fetch(url));
  await server.start();
  assert.equal(server.origin, before);
  await (await fetch(url)).arrayBuffer();
});

test("an unknown fault is refused", () => {
  assert.throws(() => server.faults.add("/x", { kind: "earthquake" }), /no fault "earthquake"/);
});
