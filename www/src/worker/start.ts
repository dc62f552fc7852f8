// Where the workers' scripts are. The expressions below are the ones that bundlers look for; the build of the
// package turns them into `./worker.js` and `./thread.js` (build/engine.ts).

import { type StartedWorker, startScript } from "./script.js";

/** Starts a worker for one model. */
export function startWorker(): StartedWorker {
  return startScript(
    () => new Worker(new URL("./main.ts", import.meta.url), { type: "module", name: "puna-worker" }),
  );
}

/** Starts a worker for a thread of the processor's executor. */
export function startThread(): StartedWorker {
  return startScript(
    () => new Worker(new URL("./thread.ts", import.meta.url), { type: "module", name: "puna-thread" }),
  );
}
