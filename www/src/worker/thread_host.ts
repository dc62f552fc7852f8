// The page's half of an engine's threads (threads.ts): it starts and ends their workers.

import type { ThreadReport, ThreadRequest } from "../types/messages.js";
import { type Accountable, type WorkerErrorEvent, reasonOf } from "./worker_error.js";

/** A worker, as it is used here. */
export interface ThreadWorker extends Accountable {
  postMessage(port: MessagePort, transfer: Transferable[]): void;
  terminate(): void;
  addEventListener(type: "error", listener: (event: WorkerErrorEvent) => void): void;
}

/** The threads of one engine. */
export class ThreadHost {
  readonly #startWorker: () => ThreadWorker;
  readonly #report: (report: ThreadReport) => void;
  #workers: ThreadWorker[] = [];

  constructor(startWorker: () => ThreadWorker, report: (report: ThreadReport) => void) {
    this.#startWorker = startWorker;
    this.#report = report;
  }

  /** Does what the engine asks. */
  handle(request: ThreadRequest): void {
    switch (request.kind) {
      case "start_thread":
        this.#start(request.thread, request.port);
        break;
      case "end_threads":
        this.end();
        break;
    }
  }

  /** Ends all of them. */
  end(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
  }

  #start(thread: number, port: MessagePort): void {
    const fail = (failed: string): void => {
      this.#report({ kind: "thread", thread, failed });
    };
    try {
      const worker = this.#startWorker();
      this.#workers.push(worker);
      worker.addEventListener("error", (event) => {
        fail(reasonOf(event, worker));
      });
      worker.postMessage(port, [port]);
    } catch (cause) {
      fail(String(cause));
    }
  }
}
