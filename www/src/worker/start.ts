// Where the worker's script is. The expression below is the one that bundlers look for; the build of the
// package turns it into `./worker.js` (build/engine.ts).

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
