// What a model is and whether this device can run it, before it is downloaded.

import { once } from "./once.js";
import { modelRequest } from "./options.js";
import type { LoadOptions, ModelReport, ModelSource } from "./types/model.js";
import type { WorkerLike } from "./worker/client.js";
import { startWorker } from "./worker/start.js";

/**
 * Reads a model's header, and no more: of a file on a server some hundred kilobytes to a few megabytes, most of them
 * its vocabulary; of one in the browser's cache nothing comes over the network. Takes the options of `load`, of which those
 * about progress and the cache are of no use here, and adapters are not looked at.
 *
 * A model that can't be run is no error: `device.canRun` is `false`, and `device.problem` is what `load` would fail with.
 * It rejects where there is no header to be read, and with `unsupported_model` for a type of tensors whose size nobody
 * knows.
 *
 * @example
 * const { device, memory, fileBytes } = await inspect("https://example.org/model.gguf");
 * if (!device.canRun) console.log(device.problem.message);
 */
export function inspect(source: ModelSource, options: LoadOptions = {}): Promise<ModelReport> {
  return inspectIn(startWorker, source, options);
}

/** `inspect` with the worker given. */
export async function inspectIn(
  start: () => WorkerLike,
  source: ModelSource,
  options: LoadOptions,
): Promise<ModelReport> {
  const request = modelRequest(source, { ...options, adapters: [] });
  return once(start, "inspect", request, options.signal ?? null);
}
