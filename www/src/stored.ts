// What the browser keeps of models: to see it, and to make room.

import { absoluteUrl } from "./address.js";
import { InvalidRequestError } from "./errors.js";
import type { Kind, Requests, Results } from "./types/messages.js";
import type { StoredModel } from "./types/model.js";
import { WorkerClient, type WorkerLike } from "./worker/client.js";
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
  return ask(start, "list", {});
}

/** `removeModel` with the worker given. */
export async function removeModelIn(start: () => WorkerLike, address: string | URL): Promise<boolean> {
  const url = new URL(absoluteUrl(address, "url"));
  // A model is kept under the address that was fetched, and a fragment is no part of that.
  url.hash = "";
  return ask(start, "remove", { url: url.href });
}

/** One request to a worker that lives for it alone. */
async function ask<K extends Kind>(
  start: () => WorkerLike,
  kind: K,
  request: Requests[K],
): Promise<Results[K]> {
  const client = new WorkerClient(start());
  try {
    return await client.start(kind, request).result;
  } finally {
    client.end(new InvalidRequestError("this worker has done its work"));
  }
}
