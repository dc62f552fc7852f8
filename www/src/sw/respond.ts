// The page's half of a request: asks the model, and hands the answer to the service worker.

import { onFree } from "../locks.js";
import type { Asked, FromOffer, ToOffer, ToWorker } from "./messages.js";

/** Browsers end a service worker that hears nothing for half a minute, whatever waits for it. */
const AWAKE_MS = 10_000;

/** What is used of a service worker. */
export interface WorkerToTell {
  postMessage(message: ToWorker): void;
}

/** A request of a service worker. */
export interface PageRequest {
  request: Asked;
  port: MessagePort;
  /** The lock that the worker holds as long as it lives. */
  lock: string;
  /** Who asks. */
  worker: WorkerToTell | null;
}

/**
 * Answers one request by `fetch`; resolves when the worker has heard it to its end, so that what holds until then is not let go
 * of too early. The work stops when the worker says so, and when the worker is gone.
 */
export async function respond(
  fetch: Promise<typeof globalThis.fetch>,
  { request, port, lock, worker }: PageRequest,
): Promise<void> {
  const abort = new AbortController();
  let finish: () => void = () => undefined;
  const over = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let body: ReadableStreamDefaultReader<Uint8Array> | null = null;
  const stop = (): void => {
    abort.abort(new DOMException("the request was given up", "AbortError"));
    body?.cancel().catch(() => undefined);
    finish();
  };
  port.onmessage = ({ data }) => {
    const { kind } = data as ToOffer;
    if (kind === "cancel") stop();
    else if (kind === "over") finish();
    else if (body !== null) void send(body, port);
  };
  const release = onFree(lock, stop);
  const timer = setInterval(() => {
    worker?.postMessage({ puna: "awake" });
  }, AWAKE_MS);
  try {
    // It may still be loading when nobody waits for it any more.
    const loaded = await Promise.race([fetch, over]);
    if (loaded !== undefined) {
      const { method, url, headers } = request;
      body = hand(await loaded(url, { method, headers, body: request.body, signal: abort.signal }), port);
    }
  } catch (error) {
    if (!abort.signal.aborted) port.postMessage(failedOf(error));
  }
  await over;
  release();
  clearInterval(timer);
  port.close();
}

/** Says how the answer begins, with its body where a stream can be given away; else gives what is left to be read. */
function hand(
  { status, headers, body }: Response,
  port: MessagePort,
): ReadableStreamDefaultReader<Uint8Array> | null {
  const head: FromOffer = { kind: "head", status, headers: [...headers] };
  const stream = body ?? new Blob([]).stream();
  try {
    port.postMessage({ ...head, body: stream } satisfies FromOffer, [stream]);
    return null;
  } catch {
    // Safari can't.
    port.postMessage(head);
    return stream.getReader();
  }
}

/** Sends the next piece of a body. */
async function send(body: ReadableStreamDefaultReader<Uint8Array>, port: MessagePort): Promise<void> {
  try {
    const { done, value } = await body.read();
    const message: FromOffer = done ? { kind: "end" } : { kind: "chunk", bytes: value };
    port.postMessage(message);
  } catch (error) {
    port.postMessage(failedOf(error));
  }
}

function failedOf(error: unknown): FromOffer {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return {
    kind: "failed",
    code: typeof code === "string" ? code : "internal",
    message: typeof message === "string" ? message : String(error),
  };
}
