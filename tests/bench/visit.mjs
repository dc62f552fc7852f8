// A subject in a page of a browser that was started for it.
import { setTimeout as sleep } from "node:timers/promises";
import { launch } from "../browser/browser.mjs";
import { MemoryWatch } from "./proc.mjs";

/** How long an empty page is left alone before its memory is taken as the ground. */
const SETTLE_MS = 1000;

/** What programs write to colour a terminal. */
const COLOUR = /\u001b\[[\d;]*m/g;

export class PageSession {
  #running;
  #page;
  #memory;
  #console = [];
  /** The question that is being answered. */
  #asked = { number: 0, onFirst: () => {} };

  /** Starts the browser on `profile`, opens the page of `site` and loads the subject in it; how long the load took, and facts. */
  async open(subject, { browser, program, adapter, profile, site }) {
    const how = { kept: profile, watched: false, own: adapter === "native" };
    this.#running = await launch(browser, program, Boolean(subject.gpu), how);
    const page = (this.#page = await this.#running.browser.newPage());
    page.on("console", (message) => this.#console.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => this.#console.push(`uncaught: ${error.message}`));
    await page.exposeFunction("atFirstToken", (number) => {
      if (number === this.#asked.number) this.#asked.onFirst();
    });
    await page.goto(`${site.origin}/bench/page.html`);
    await page.waitForFunction("window.ready === true", { timeout: 60_000 });
    await sleep(SETTLE_MS);
    this.#memory = new MemoryWatch(this.pid);
    return this.#call("load", subject.module, subject.weights, subject.options);
  }

  get pid() {
    return this.#running.browser.process().pid;
  }

  get version() {
    return this.#running.version;
  }

  /** Calls a function of `window.bench`; a failure has the console's last lines with it. */
  async #call(name, ...args) {
    try {
      return await this.#page.evaluate((name, args) => window.bench[name](...args), name, args);
    } catch (error) {
      const lines = this.#console.filter((line) => /^(error|uncaught)/.test(line)).slice(-3);
      throw new Error([error.message, ...lines].join("\n").replaceAll(COLOUR, ""), { cause: error });
    }
  }

  /** Firefox tells of the first token only when the page's own thread is idle, which may be after the last. */
  ask(prompt, tokens, onFirst) {
    const number = this.#asked.number + 1;
    this.#asked = { number, onFirst };
    return this.#call("ask", number, prompt, tokens);
  }

  memoryGrowth() {
    return this.#memory.growth();
  }

  async close() {
    this.#memory?.stop();
    await this.#running?.close();
  }
}
