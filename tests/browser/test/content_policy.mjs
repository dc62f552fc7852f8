// The package under a Content-Security-Policy that allows next to nothing.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { askIn, isWhole } from "../asked.mjs";
import { TINY } from "../context.mjs";
import { test } from "../suite.mjs";

const strict = (modelHost) =>
  `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' ${modelHost}; report-uri /violations`;

test("runs under a strict one, structured output included", async (t) => {
  for (const device of t.hasWebGpu ? ["cpu", "webgpu"] : ["cpu"]) {
    const headers = { "Content-Security-Policy": strict(t.host.origin) };
    await t.withHeaders(headers, async (page, site) => {
      isWhole(await askIn(page, "/package/index.js", t.url(TINY), device), device);
      // A policy that is not in force would let all of this pass.
      const other = `${t.site.origin}/bare.html`;
      await page.evaluate((url) => fetch(url).catch(() => {}), other);
      const last = `connect-src ${other}`;
      assert.deepEqual(await violationsUntil(site, last), [last], "only what was meant to be refused");
    });
  }
});

test("that is too strict is named by what fails", async (t) => {
  const under = (policy) =>
    t.withHeaders({ "Content-Security-Policy": policy }, async (page) => (await askIn(page, "/package/index.js", t.url(TINY))).error);
  const policy = strict(t.host.origin);
  const noWasm = await under(policy.replace(" 'wasm-unsafe-eval'", ""));
  assert.equal(noWasm.code, "internal");
  assert.match(noWasm.message, /the engine did not start.*Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src/);
  const noModel = await under(policy.replace(` ${t.host.origin}`, ""));
  assert.equal(noModel.code, "network");
  assert.ok(noModel.message.includes(`connect-src must have ${t.host.origin} (`), noModel.message);
  assert.equal(noModel.reason, "content_security_policy");
});

/** What the browser reported of a site's pages and workers until it reported this. */
async function violationsUntil(site, last) {
  const found = () =>
    site.log
      .filter(({ path }) => path === "/violations")
      .map(({ body }) => JSON.parse(body)["csp-report"])
      .map((report) => `${report["effective-directive"]} ${report["blocked-uri"]}`)
      // The browser itself asks for it, where a page has none.
      .filter((line) => !line.endsWith("/favicon.ico"));
  while (!found().includes(last)) await sleep(20);
  return found();
}
