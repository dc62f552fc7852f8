// The page's half of a request: asks the model, and hands the answer to the service worker.

import { onFree } from "./locks.js";
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
 * Answers one request by `fetch`; resolves when it is over. The work stops when the worker says so, when it stops reading
 * and when it is gone.
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
  const stop = (): void => {
    abort.abort(new DOMException("the request was given up", "AbortError"));
    finish();
  };
  const release = onFree(lock, stop);
  const timer = setInterval(() => {
    worker?.postMessage({ puna: "awake" });
  }, AWAKE_MS);
  let body: ReadableStreamDefaultReader<Uint8Array> | null = null;
  port.onmessage = ({ data }) => {
    const { kind } = data as ToOffer;
    if (kind === "cancel") {
      stop();
      body?.cancel().catch(() => undefined);
    } else if (body !== null) {
      void pull(body, port, finish);
    }
  };
  try {
    const { method, url, headers } = request;
    // It may still be loading when nobody waits for it any more.
    const loaded = await Promise.race([fetch, over]);
    if (loaded === undefined) return;
    const answer = await loaded(url, { method, headers, body: request.body, signal: abort.signal });
    body = hand(answer, port, finish);
    await over;
  } catch (error) {
    if (!abort.signal.aborted) port.postMessage(failedOf(error));
  } finally {
    release();
    clearInterval(timer);
    port.close();
  }
}

/** Says how the answer begins, with its body where a stream can be given away; else gives what is left to be read. */
function hand(
  { status, headers, body }: Response,
  port: MessagePort,
  finish: () => void,
): ReadableStreamDefaultReader<Uint8Array> | null {
  const head: FromOffer = { kind: "head", status, headers: [...headers] };
  const watched = watch(body ?? new Blob([]).stream(), finish);
  try {
    port.postMessage({ ...head, body: watched } satisfies FromOffer, [watched]);
    return null;
  } catch {
    // Safari can't.
    port.postMessage(head);
    return watched.getReader();
  }
}

/** The same stream; `end` is called when nobody will read any more of it. */
function watch(stream: ReadableStream<Uint8Array>, end: () => void): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            controller.enqueue(value);
            return;
          }
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        end();
      },
      async cancel(reason) {
        end();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Sends the next piece of a body. */
async function pull(
  body: ReadableStreamDefaultReader<Uint8Array>,
  port: MessagePort,
  finish: () => void,
): Promise<void> {
  try {
    const { done, value } = await body.read();
    const message: FromOffer = done ? { kind: "end" } : { kind: "chunk", bytes: value };
    port.postMessage(message);
  } catch (error) {
    port.postMessage(failedOf(error));
    finish();
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
