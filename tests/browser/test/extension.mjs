// The package in a browser extension of Manifest V3: its pages have a policy that can't be loosened.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { isWhole } from "../asked.mjs";
import { root, TINY } from "../context.mjs";
import { ship } from "../shipped.mjs";
import { test } from "../suite.mjs";

const folder = path.join(root, "tests/out/extension");
const sources = path.join(root, "tests/browser");

/** The extension as it would be zipped: its own files, and the package's `dist`. */
async function pack() {
  const shipped = path.join(root, "tests/out/shipped");
  await ship(shipped);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.cpSync(path.join(sources, "extension"), folder, { recursive: true });
  fs.copyFileSync(path.join(sources, "ask.js"), path.join(folder, "ask.js"));
  fs.cpSync(path.join(shipped, "dist"), path.join(folder, "puna"), { recursive: true });
}

test("runs in a page of an extension, with threads and what is kept", { browsers: ["chromium"] }, async (t) => {
  await pack();
  const { browser, close } = await t.launch({ extensions: true });
  try {
    const id = await browser.installExtension(folder);
    for (const device of t.hasWebGpu ? ["cpu", "webgpu"] : ["cpu"]) {
      const page = await browser.newPage();
      const query = new URLSearchParams({ model: t.url(TINY), device });
      await page.goto(`chrome-extension://${id}/page.html?${query}`);
      // Looked for from outside: the page lets nobody evaluate text in it.
      const output = await page.waitForSelector("output:not(:empty)", { timeout: 60_000 });
      const { said, kept, error } = JSON.parse(await output.evaluate(({ textContent }) => textContent));
      assert.equal(error, undefined);
      isWhole(said, device);
      assert.deepEqual(kept, [{ url: t.url(TINY), isComplete: true }]);
      await page.close();
    }
    // Once: the second took it from what the extension keeps.
    assert.ok(t.host.sentBytes(TINY.path) < 1.5 * fs.statSync(TINY.file).size);
  } finally {
    await close();
  }
});
