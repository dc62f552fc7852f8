// The package in projects of users, built by the bundlers that they take (tests/bundlers).
import assert from "node:assert/strict";
import { isWhole } from "../asked.mjs";
import { next, prepare, serveWithVite, vite, webpack } from "../bundlers.mjs";
import { TINY } from "../context.mjs";
import { test } from "../suite.mjs";

/** What a bundler makes is the same for every browser. */
const LIMITS = { browsers: ["chromium"] };

/** What the page at `origin` shows when its model has answered must be all of it. */
async function answers(t, origin) {
  const page = await t.visit(`/?model=${encodeURIComponent(t.url(TINY))}`, origin);
  try {
    const output = await page.waitForSelector("output:not(:empty)", { timeout: 60_000 });
    isWhole(JSON.parse(await output.evaluate(({ textContent }) => textContent)));
  } finally {
    await page.close();
  }
}

/** The page with all its files beside it. */
async function answersAlone(t, { build, folder }) {
  await prepare();
  await build();
  await t.withSite({ roots: { "/": folder } }, (site) => answers(t, site.origin));
}

/** The page with all its files at another origin, as a CDN has them. */
async function answersFromCdn(t, { build, folder }) {
  const roots = { "/": folder };
  await t.withSite({ roots }, async (cdn) => {
    await build(`${cdn.origin}/`);
    await t.withSite({ roots }, async (site) => {
      await answers(t, site.origin);
      assert.deepEqual(
        site.log.map(({ path }) => path),
        ["/"],
        "the page alone",
      );
    });
  });
}

test("is bundled by Vite, also for a CDN", LIMITS, async (t) => {
  await answersAlone(t, vite);
  await answersFromCdn(t, vite);
});

test("is served by Vite while a page is worked on", LIMITS, async (t) => {
  await prepare();
  const server = await serveWithVite();
  try {
    await answers(t, server.origin);
  } finally {
    await server.close();
  }
});

test("is bundled by webpack, also for a CDN", LIMITS, async (t) => {
  await answersAlone(t, webpack);
  await answersFromCdn(t, webpack);
});

test("is bundled by Next, whose server imports it as well", { ...LIMITS, full: true }, (t) => answersAlone(t, next));
