// A native subject: a program that loads the weights when it starts, and answers a line of JSON with two.
//
//   in    { prompt, tokens }
//   out   { event: "ready", ms, facts }          the weights are there
//         { event: "first" }                     the first token of an answer
//         { event: "done", answer: { promptTokens, tokens, text, firstMs, decodeMs } }
import { spawn } from "node:child_process";
import { on, once } from "node:events";
import readline from "node:readline";
import { MemoryWatch } from "./proc.mjs";

export class NativeSession {
  #child;
  #lines;
  #memory;
  #errors = "";

  /** Starts `command` and waits until its weights are there; how long that took, and facts. */
  async open([program, ...words]) {
    const child = (this.#child = spawn(program, words));
    // A program that has ended is noticed by its output; what is written to it then is of no use.
    child.stdin.on("error", () => {});
    child.stderr.on("data", (data) => (this.#errors = (this.#errors + data).slice(-2000)));
    this.#lines = on(readline.createInterface({ input: child.stdout }), "line", { close: ["close"] });
    await once(child, "spawn");
    this.#memory = new MemoryWatch(this.pid, { all: true });
    const { ms, facts } = await this.#next("ready");
    return { ms, facts };
  }

  get pid() {
    return this.#child.pid;
  }

  async #next(event) {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`${this.#child.spawnfile} ended: ${this.#errors.trim() || "without a word"}`);
      // A library may write lines of its own.
      const said = value[0].startsWith("{") ? JSON.parse(value[0]) : {};
      if (said.event === event) return said;
    }
  }

  async ask(prompt, tokens, onFirst) {
    this.#child.stdin.write(`${JSON.stringify({ prompt, tokens })}\n`);
    await this.#next("first");
    onFirst();
    return (await this.#next("done")).answer;
  }

  memoryGrowth() {
    return this.#memory.growth();
  }

  async close() {
    this.#memory?.stop();
    if (this.#child?.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill();
    await ended;
  }
}
