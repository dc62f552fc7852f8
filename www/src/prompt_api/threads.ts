// How a model is loaded where it can't be loaded as in a page.

import type { LoadOptions } from "../types/model.js";

/**
 * Options with which a load is likelier to come to its end. In Firefox a worker that starts others hangs now and then, for good, inside
 * `new Worker`: 2 of 60 loads with two threads, none of 60 with one.
 */
export function safeOptions(options: LoadOptions): LoadOptions {
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  const isAtRisk = !("document" in globalThis) && /\bFirefox\//.test(navigator?.userAgent ?? "");
  if (!isAtRisk || options.advanced?.threads !== undefined) return options;
  return { ...options, advanced: { ...options.advanced, threads: 1 } };
}
