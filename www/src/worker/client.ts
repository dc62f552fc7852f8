// The page's half of the protocol: requests out, events and exactly one end back in, and an honest end for
// everybody when the worker dies.

import { onAbort } from "../abort.js";
import { InvalidRequestError, PunaError, abortErrorOf, fromWire } from "../errors.js";
import { onFree } from "../locks.js";
import type {
  EventMessage,
  FromWorker,
  Kind,
  RequestMessage,
  Requests,
  Results,
  ToWorker,
} from "../types/messages.js";
import { startThread } from "./start.js";
import { ThreadHost, type ThreadWorker } from "./thread_host.js";
import { type Accountable, type WorkerErrorEvent, reasonOf, wasRun } from "./worker_error.js";

/** What is used of a `Worker`; a `MessagePort` does in tests. */
export interface WorkerLike extends Accountable {
  postMessage(message: ToWorker): void;
  terminate(): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "error" | "messageerror", listener: (event: WorkerErrorEvent) => void): void;
}

/** A request on its way. */
export interface Call<K extends Kind> {
  /** Settles with the one terminal message, or with what `cancel` was given. */
  result: Promise<Results[K]>;
  /** Asks the worker to stop. */
  stop(): void;
  /** Stops and rejects `result` now; what the worker still says about it is dropped. */
  cancel(error: PunaError): void;
}

/** Who answers the requests of a model. */
export interface Backend {
  /** Sends a request. Whatever goes wrong, also with the sending, rejects its result. */
  start<K extends Kind>(kind: K, request: Requests[K], onEvent?: (event: EventMessage) => void): Call<K>;
  /** Sends a request and waits for its result, which `signal` rejects at once. */
  answer<K extends Kind>(kind: K, request: Requests[K], signal: AbortSignal | null): Promise<Results[K]>;
}

/** {@link Backend.answer}, by `start`. */
export async function answerOf<K extends Kind>(
  backend: Backend,
  kind: K,
  request: Requests[K],
  signal: AbortSignal | null,
): Promise<Results[K]> {
  const call = backend.start(kind, request);
  const release = onAbort(signal, () => {
    if (signal !== null) call.cancel(abortErrorOf(signal));
  });
  try {
    return await call.result;
  } finally {
    release();
  }
}

/** A call that is not made. */
export function refused<K extends Kind>(error: PunaError): Call<K> {
  return { result: Promise.reject(error), stop: () => undefined, cancel: () => undefined };
}

interface Pending {
  onEvent: ((event: EventMessage) => void) | undefined;
  resolve: (result: Results[Kind]) => void;
  reject: (error: PunaError) => void;
}

/** Talks to one worker. */
export class WorkerClient implements Backend {
  readonly #worker: WorkerLike;
  readonly #pending = new Map<number, Pending>();
  readonly #threads: ThreadHost;
  readonly #onWarning: (message: string) => void;
  #nextId = 1;
  #end: PunaError | null = null;
  #unwatch: () => void = () => undefined;

  /** `onWarning` hears what belongs to no request and stops nothing; `start` starts a thread of the engine's. */
  constructor(
    worker: WorkerLike,
    onWarning: (message: string) => void = () => undefined,
    start: () => ThreadWorker = startThread,
  ) {
    this.#worker = worker;
    this.#threads = new ThreadHost(start, (report) => {
      worker.postMessage(report);
    });
    this.#onWarning = onWarning;
    worker.addEventListener("message", ({ data }) => {
      this.#receive(data as FromWorker);
    });
    worker.addEventListener("error", (event) => {
      const what = wasRun(event) ? "died" : "did not start";
      this.close(new PunaError("internal", `the worker of the model ${what}: ${reasonOf(event, worker)}`));
    });
    worker.addEventListener("messageerror", () => {
      this.close(new PunaError("internal", "a message of the worker could not be read"));
    });
  }

  /** What later requests are refused with, if the worker was ended, or died. */
  get end(): PunaError | null {
    return this.#end;
  }

  start<K extends Kind>(kind: K, request: Requests[K], onEvent?: (event: EventMessage) => void): Call<K> {
    if (this.#end !== null) return refused(this.#end);
    const id = this.#nextId++;
    const result = new Promise<Results[K]>((resolve, reject) => {
      // The worker answers a request by its kind: the one place where the wire is taken at its word.
      this.#pending.set(id, { onEvent, resolve: resolve as Pending["resolve"], reject });
    });
    try {
      this.#worker.postMessage({ kind, id, ...request } as unknown as RequestMessage);
    } catch (cause) {
      this.#take(id)?.reject(unsent(kind, cause));
    }
    const stop = (): void => {
      if (this.#pending.has(id)) this.#worker.postMessage({ kind: "cancel", id });
    };
    const cancel = (error: PunaError): void => {
      stop();
      this.#take(id)?.reject(error);
    };
    return { result, stop, cancel };
  }

  answer<K extends Kind>(kind: K, request: Requests[K], signal: AbortSignal | null): Promise<Results[K]> {
    return answerOf(this, kind, request, signal);
  }

  /** Rejects all that is pending now; the worker lives on. */
  abandon(error: PunaError): void {
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error);
  }

  /** Ends the worker. Everything pending is rejected with `error`, and so is every later request. */
  close(error: PunaError): void {
    if (this.#end !== null) return;
    this.#end = error;
    this.#unwatch();
    this.#worker.terminate();
    this.#threads.end();
    this.abandon(error);
  }

  #receive(message: FromWorker): void {
    // On its way when the worker was ended: a thread started now would be nobody's.
    if (this.#end !== null) return;
    switch (message.kind) {
      case "progress":
      case "chunk":
        this.#pending.get(message.id)?.onEvent?.(message);
        break;
      case "done":
        this.#take(message.id)?.resolve(message.result);
        break;
      case "failed": {
        const error = fromWire(message.error);
        this.#take(message.id)?.reject(error);
        // A device that was lost stays lost: the worker goes with it, and with what else it had to do.
        if (error.code === "device_lost") this.close(error);
        break;
      }
      case "warned":
        this.#onWarning(message.message);
        break;
      case "died":
        this.close(fromWire(message.error));
        break;
      case "lives":
        this.#unwatch = onFree(message.lock, () => {
          this.close(new PunaError("internal", "the worker of the model was ended by somebody else"));
        });
        break;
      case "start_thread":
      case "end_threads":
        this.#threads.handle(message);
        break;
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }
}

/** The error of a request that could not be sent. What can't be cloned was given by the caller. */
function unsent(kind: Kind, cause: unknown): PunaError {
  const message = `${kind}: the request could not be sent to the worker: ${String(cause)}`;
  return cause instanceof DOMException && cause.name === "DataCloneError"
    ? new InvalidRequestError(message, { cause })
    : new PunaError("internal", message, { cause });
}
