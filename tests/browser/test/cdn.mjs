// The package from another origin than the page's, as a CDN has it: without a bundler, by its address.
import assert from "node:assert/strict";
import { askIn, expected } from "../asked.mjs";
import { TINY } from "../context.mjs";
import { test } from "../suite.mjs";

/** The rules that such a page needs, beside that for its model. */
const policyFor = (cdn) => `default-src 'none'; script-src 'self' ${cdn} 'wasm-unsafe-eval'; worker-src blob: ${cdn}; connect-src ${cdn}`;

/** How a list of models fails in a page with that policy, or with none. */
async function failure(t, policy, index = `${t.host.origin}/package/index.js`) {
  const headers = policy === null ? {} : { "Content-Security-Policy": policy };
  return t.withHeaders(headers, (page) =>
    page.evaluate(async (index) => {
      const { listModels } = await import(index);
      return listModels().then(
        (models) => ({ models }),
        ({ code, message }) => ({ code, message, origin }),
      );
    }, index),
  );
}

test("is imported by its address: workers, threads and wasm come from there", async (t) => {
  const here = await expected(t);
  t.site.clearLog();
  t.host.clearLog();
  const there = await askIn(t.page, `${t.host.origin}/package/index.js`, t.url(TINY));
  assert.deepEqual(there, here);
  const files = ({ log }) => log.filter(({ path }) => path.startsWith("/package/")).map(({ path }) => path);
  assert.deepEqual(files(t.site), [], "nothing of it is the page's");
  for (const file of ["index.js", "worker.js", "thread.js", "puna_web_bg.wasm", "puna_grammar.wasm"]) {
    assert.ok(files(t.host).includes(`/package/${file}`), file);
  }
  assert.equal(files(t.host).filter((path) => /puna_cpu_\w+_threads\.wasm$/.test(path)).length, 1);
});

test("runs under a Content-Security-Policy that allows it, and else says what that must allow", async (t) => {
  const cdn = t.host.origin;
  const policy = policyFor(cdn);
  const said = await t.withHeaders({ "Content-Security-Policy": policy }, (page) => askIn(page, `${cdn}/package/index.js`, t.url(TINY)));
  assert.deepEqual(said, await expected(t));

  const rule = `"worker-src blob: ${cdn}"`;
  const noBlob = await failure(t, policy.replace("blob: ", "'self' "));
  assert.equal(noBlob.code, "internal");
  assert.ok(noBlob.message.includes(`${cdn}/package/worker.js is not of ${noBlob.origin}`), noBlob.message);
  assert.ok(noBlob.message.includes("blob: address, which a Content-Security-Policy of this page forbids"), noBlob.message);
  assert.ok(noBlob.message.includes(`allow ${rule}, or serve the package's files from the page's own origin`), noBlob.message);
  const noHost = await failure(t, policy.replace(`worker-src blob: ${cdn}`, "worker-src blob:"));
  assert.ok(noHost.message.includes(`${cdn}/package/worker.js could not be loaded`), noHost.message);
  assert.ok(noHost.message.includes(rule), noHost.message);
  const noWasm = await failure(t, policy.replace(" 'wasm-unsafe-eval'", ""));
  assert.match(noWasm.message, /the engine did not start.*'wasm-unsafe-eval' in script-src/);
  const own = await failure(t, "worker-src 'none'", "/package/index.js");
  assert.ok(own.message.includes(`forbids ${own.origin}/package/worker.js as a worker: allow "worker-src 'self'"`), own.message);
});

test("says which script is not there", async (t) => {
  t.host.faults.add("/package/worker.js", { kind: "status", status: 404, times: 1 });
  const there = await failure(t, null);
  assert.equal(there.code, "internal");
  assert.ok(there.message.includes(`${t.host.origin}/package/worker.js could not be loaded: its host must allow ${there.origin}`), there.message);
  const { models } = await failure(t, null);
  assert.deepEqual(models, [], "once it is there");
});

/** A page of two: what its sandboxed frame's model says. */
const FRAMED = (address) => `<!doctype html>
<iframe sandbox="allow-scripts" srcdoc='<script type="module">
import { load } from "/package/index.js";
import { ask } from "/ask.js";
const said = await ask(load, "${address}").catch(String);
parent.postMessage({ origin, said }, "*");
</script>'></iframe>
<script>
window.answered = new Promise((resolve) => addEventListener("message", ({ data }) => resolve(data)));
</script>`;

test("runs in a sandboxed frame, where no origin is its own", async (t) => {
  t.site.put("/framed.html", Buffer.from(FRAMED(t.url(TINY))));
  const page = await t.visit("/framed.html");
  const { origin, said } = await page.evaluate(() => window.answered);
  await page.close();
  assert.equal(origin, "null");
  const { text, held } = await expected(t);
  assert.deepEqual([said.text, said.held], [text, held], JSON.stringify(said));
});
