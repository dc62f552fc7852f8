// What the browser keeps of models: to see it, and to make room.

import { absoluteUrl } from "./address.js";
import { once } from "./once.js";
import type { StoredModel } from "./types/model.js";
import type { WorkerLike } from "./worker/client.js";
import { startWorker } from "./worker/start.js";

/** The models that this origin keeps, whole or in part. Needs no GPU. */
export function listModels(): Promise<StoredModel[]> {
  return listModelsIn(startWorker);
}

/**
 * Removes what is kept of the model at this address; tells whether there was anything. Fails with `busy` while a
 * load is storing it. Needs no GPU.
 */
export function removeModel(url: string | URL): Promise<boolean> {
  return removeModelIn(startWorker, url);
}

/** `listModels` with the worker given. */
export function listModelsIn(start: () => WorkerLike): Promise<StoredModel[]> {
  return once(start, "list", {}, null);
}

/** `removeModel` with the worker given. */
export async function removeModelIn(start: () => WorkerLike, address: string | URL): Promise<boolean> {
  const url = new URL(absoluteUrl(address, "url"));
  // A model is kept under the address that was fetched, and a fragment is no part of that.
  url.hash = "";
  return once(start, "remove", { url: url.href }, null);
}
