// Where the workers' scripts are. The expressions below are the ones that bundlers look for; the build of the
// package turns them into `./worker.js` and `./thread.js` (build/engine.ts).

import { PunaError } from "../errors.js";

/** Starts a worker for one model. */
export function startWorker(): Worker {
  try {
    return new Worker(new URL("./main.ts", import.meta.url), { type: "module", name: "puna" });
  } catch (cause) {
    throw new PunaError(
      "internal",
      "the worker could not be started: worker.js must be served from the page's own origin, and a " +
        "Content-Security-Policy must allow it in worker-src",
      { cause },
    );
  }
}

/** Starts a worker for a thread of the processor's executor. */
export function startThread(): Worker {
  return new Worker(new URL("./thread.ts", import.meta.url), { type: "module", name: "puna thread" });
}
