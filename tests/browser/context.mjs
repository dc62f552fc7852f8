// What a test gets: a server for the page, one for models, and a page of its own with nothing stored.
import fs from "node:fs";
import path from "node:path";
import { StaticServer } from "../server/server.mjs";

export const root = path.resolve(import.meta.dirname, "../..");
const at = (...parts) => path.join(root, ...parts);

/** A model file on the model server, and where it comes from. */
export const TINY = { path: "/golden/llama-256/llama-256-Q4_1.gguf", file: at("tests/golden/llama-256/llama-256-Q4_1.gguf") };
export const REAL = { path: "/models/SmolLM2-135M-Instruct.Q4_1.gguf", file: at("models/SmolLM2-135M-Instruct.Q4_1.gguf") };

/** The prompt is the messages' text and nothing else. */
export const PLAIN_TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}";

/** The tiny model has no template of its own. */
export const TINY_OPTIONS = { chatTemplate: PLAIN_TEMPLATE };

/** A request that always has the same answer. */
export const greedy = (content, max_tokens, more = {}) => ({
  messages: [{ role: "user", content }],
  temperature: 0,
  max_tokens,
  ...more,
});

/** Where the bytes of a load came from, by its last progress. */
export const bytesOf = ({ events }) => {
  const { cachedBytes, networkBytes } = events.at(-1);
  return { cachedBytes, networkBytes };
};

/** What the full runs and the quick ones need alike; each missing one is named with what makes it. */
export function checkFiles() {
  const missing = [
    [at("www/dist/index.js"), "cargo xtask demo --no-open, or npm run build in www/"],
    [TINY.file, "git checkout tests/golden"],
    [REAL.file, "cargo xtask model"],
  ].filter(([file]) => !fs.existsSync(file));
  if (missing.length === 0) return;
  const lines = missing.map(([file, make]) => `  ${path.relative(root, file)}   (${make})`);
  throw new Error(`the suite needs these files first; \`cargo xtask test\` makes them all:\n${lines.join("\n")}`);
}

const SITE = {
  "/package": at("www/dist"),
  "/demo": at("www/dist/demo"),
  "/conformance": at("www/pkg-conformance"),
  "/cpu-test": at("www/pkg-cpu-test"),
  "/": at("tests/browser"),
};

export class Context {
  #browser;
  #console = [];

  constructor({ browser, name, full, hasWebGpu, launch }) {
    this.#browser = browser;
    /** Starts another browser like this one, with these options of `launch` (browser.mjs); the test closes it. */
    this.launch = launch;
    /** "chromium" or "firefox". */
    this.browserName = name;
    this.full = full;
    this.hasWebGpu = hasWebGpu;
    /** Serves the page and the package; a fresh port is a fresh origin, so that nothing is stored. */
    this.site = new StaticServer(SITE);
    /** Serves models, from another origin, and the package, as a CDN does. */
    this.host = new StaticServer({
      "/package": at("www/dist"),
      "/golden": at("tests/golden"),
      "/models": at("models"),
      "/shards": at("tests/out/shards"),
    });
    this.page = null;
  }

  async open() {
    await Promise.all([this.site.start(), this.host.start()]);
    await this.openPage();
  }

  /** Opens the test page; the one before it is closed, what it stored stays. */
  async openPage() {
    await this.page?.close();
    this.page = await this.#newPage();
    await this.page.goto(`${this.site.origin}/page.html`);
    await this.page.waitForFunction("window.ready === true", { timeout: 60_000 });
  }

  /** The page from a server that does not isolate it: without shared memory. */
  async openUnisolated() {
    await this.site.stop();
    this.site = await new StaticServer(SITE, { isolate: false }).start();
    await this.openPage();
  }

  /** The browser's first process. */
  get pid() {
    return this.#browser.process().pid;
  }

  /** Opens another address of the site, or of that at `origin`, in a page of its own; the test closes it. */
  async visit(pathname, origin = this.site.origin) {
    const page = await this.#newPage();
    await page.goto(origin + pathname);
    return page;
  }

  /** Does `work` while there is another site, of other folders if they are given, with these headers in all its answers. */
  async withSite({ roots = SITE, headers = {} }, work) {
    const site = await new StaticServer(roots, { headers }).start();
    try {
      return await work(site);
    } finally {
      await site.stop();
    }
  }

  /** Does `work` in an empty page of such a site. */
  withHeaders(headers, work) {
    return this.withSite({ headers }, async (site) => {
      const page = await this.visit("/bare.html", site.origin);
      try {
        return await work(page, site);
      } finally {
        await page.close();
      }
    });
  }

  async #newPage() {
    const page = await this.#browser.newPage();
    page.on("console", (message) => this.#console.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => this.#console.push(`uncaught: ${error.message}`));
    return page;
  }

  async close() {
    await this.page?.close().catch(() => {});
    await Promise.all([this.site.stop(), this.host.stop()]);
  }

  /** The last lines of the page's console. */
  consoleTail() {
    return this.#console.slice(-20);
  }

  url(model) {
    return this.host.origin + model.path;
  }

  /** Calls a function of `window.lab` in the page. */
  lab(name, ...args) {
    return this.page.evaluate((name, args) => window.lab[name](...args), name, args);
  }

  /** What is loaded on unless a test says otherwise: `auto` does not take the software adapters of test machines. */
  get device() {
    return this.hasWebGpu ? "webgpu" : "auto";
  }

  /** Loads and must succeed; the model's info with the progress events. */
  async load(source, options = {}) {
    const result = await this.lab("load", source, { device: this.device, ...options });
    if (result.error) throw new Error(`load failed: ${result.error.code}: ${result.error.message}`);
    return { info: result.value, events: result.events, ms: result.ms };
  }

  /** Loads files that a person picked and must succeed. */
  async loadFiles(urls, options = {}) {
    const result = await this.lab("loadFiles", urls, { device: this.device, ...options });
    if (result.error) throw new Error(`load failed: ${result.error.code}: ${result.error.message}`);
    return { info: result.value, events: result.events };
  }

  loadTiny(options = {}) {
    return this.load(this.url(TINY), { ...TINY_OPTIONS, ...options });
  }

  /** Asks and must succeed; the completion, or the chunks of a stream. */
  async chat(request, leaving = {}) {
    const result = await this.lab("chat", request, leaving);
    if (result.error) throw new Error(`the request failed: ${result.error.code}: ${result.error.message}`);
    return request.stream ? result.chunks : result.value;
  }

  /** Asks and must fail; the error. */
  async chatError(request, leaving = {}) {
    const result = await this.lab("chat", request, leaving);
    if (!result.error) throw new Error(`the request should have failed and gave ${JSON.stringify(result.value)}`);
    return result.error;
  }

  /** How far a model's logits on the CPU are from recorded ones; see cpu_worker.js. */
  async logitsOnCpu(given) {
    const { value, error } = await this.page.evaluate(async (given) => {
      const { ThreadHost, startThread } = await import("/package/test/cpu.js");
      const worker = new Worker("/cpu_worker.js", { type: "module" });
      const threads = new ThreadHost(startThread, (report) => worker.postMessage(report));
      const result = await new Promise((resolve) => {
        worker.onmessage = ({ data }) => (data.kind ? threads.handle(data) : resolve(data));
        worker.onerror = ({ message }) => resolve({ error: message });
        worker.postMessage(given);
      });
      worker.terminate();
      threads.end();
      return result;
    }, given);
    if (error !== undefined) throw new Error(`the worker failed: ${error}`);
    return value;
  }

  /** Loads and must fail; the error. */
  async loadError(source, options = {}, how = {}) {
    const result = await this.lab("load", source, { device: this.device, ...options }, how);
    if (!result.error) throw new Error("the load should have failed and did not");
    return result.error;
  }
}

/** The text of a stream's chunks. */
export const textOf = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
