// The engine's half of its threads: it asks the page for them. The page starts them, because in Firefox a worker that
// starts another hangs now and then, for good, inside `new Worker`.

import { PunaError } from "../errors.js";
import type { ThreadReport, ThreadRequest, ThreadStart } from "../types/messages.js";

/** How long a thread may take to start. */
const START_MS = 10_000;

/** The threads of one engine. */
export class Threads {
  readonly #page: { postMessage(message: ThreadRequest): void };
  readonly #starting = new Map<number, (failed: string | undefined) => void>();
  #started = 0;

  constructor(page: { postMessage(message: ThreadRequest): void }) {
    this.#page = page;
  }

  /** Starts one more; resolves when it serves. */
  start(start: ThreadStart): Promise<void> {
    const thread = ++this.#started;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.report({ kind: "thread", thread, failed: `not within ${START_MS / 1000} s` });
      }, START_MS);
      this.#starting.set(thread, (failed) => {
        clearTimeout(timer);
        if (failed === undefined) resolve();
        else reject(new PunaError("internal", `a thread did not start: ${failed}`));
      });
      this.#page.postMessage({ kind: "start_thread", thread, start });
    });
  }

  /** Ends all of them. */
  end(): void {
    this.#page.postMessage({ kind: "end_threads" });
  }

  /** Takes what the page says of a thread. */
  report({ thread, failed }: ThreadReport): void {
    const settle = this.#starting.get(thread);
    // Not there: it failed after it had started, which the pool finds out by itself, or after it was given up.
    this.#starting.delete(thread);
    settle?.(failed);
  }
}
