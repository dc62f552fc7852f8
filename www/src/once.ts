// One request to a worker that lives for it alone.

import { InvalidRequestError, abortErrorOf } from "./errors.js";
import type { Kind, Requests, Results } from "./types/messages.js";
import { WorkerClient, type WorkerLike } from "./worker/client.js";

/** Starts a worker, waits for its answer, which `signal` rejects at once, and ends it. */
export async function once<K extends Kind>(
  start: () => WorkerLike,
  kind: K,
  request: Requests[K],
  signal: AbortSignal | null,
): Promise<Results[K]> {
  if (signal?.aborted === true) throw abortErrorOf(signal);
  const client = new WorkerClient(start());
  try {
    return await client.answer(kind, request, signal);
  } finally {
    client.close(new InvalidRequestError("this worker has done its work"));
  }
}
