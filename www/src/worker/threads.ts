// The engine's half of its threads: it asks the page for them. The page starts them, because in Firefox a worker that
// starts another hangs now and then, for good, inside `new Worker`. What a thread needs reaches it past the page: the
// memory that all threads share would stay as long as the page's collector of garbage finds no reason to run.

import { PunaError } from "../errors.js";
import type { ThreadReport, ThreadRequest, ThreadStart } from "../types/messages.js";

/** How long a thread may take to start. */
const START_MS = 10_000;

/** What the engine's own worker is, as it is used here. */
interface ThreadsScope {
  postMessage(message: ThreadRequest, transfer: Transferable[]): void;
}

/** The threads of one engine. */
export class Threads {
  readonly #page: ThreadsScope;
  readonly #starting = new Map<number, (failed: string | undefined) => void>();
  #started = 0;

  constructor(page: ThreadsScope) {
    this.#page = page;
  }

  /** Starts one more; resolves when it serves. */
  start(start: ThreadStart): Promise<void> {
    const thread = ++this.#started;
    const { port1: port, port2: itsPort } = new MessageChannel();
    port.postMessage(start);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(thread, `not within ${START_MS / 1000} s`);
      }, START_MS);
      this.#starting.set(thread, (failed) => {
        clearTimeout(timer);
        port.close();
        if (failed === undefined) resolve();
        else reject(new PunaError("internal", `a thread did not start: ${failed}`));
      });
      // The one thing that it says: it serves.
      port.onmessage = () => {
        this.#settle(thread);
      };
      this.#page.postMessage({ kind: "start_thread", thread, port: itsPort }, [itsPort]);
    });
  }

  /** Ends all of them. */
  end(): void {
    this.#page.postMessage({ kind: "end_threads" }, []);
  }

  /** Takes what the page says of a thread. */
  report({ thread, failed }: ThreadReport): void {
    this.#settle(thread, failed);
  }

  #settle(thread: number, failed?: string): void {
    const settle = this.#starting.get(thread);
    // Not there: it failed after it had started, which the pool finds out by itself, or after it was given up.
    this.#starting.delete(thread);
    settle?.(failed);
  }
}
