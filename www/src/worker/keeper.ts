// A model that outlives its worker: where that died, or its GPU was lost, the next request starts another.

import type { PunaError } from "../errors.js";
import type { EventMessage, Kind, Requests, Results } from "../types/messages.js";
import type { ModelInfo } from "../types/model.js";
import { type Backend, type Call, type WorkerClient, answerOf, refused } from "./client.js";

/** A worker in which the model is being loaded. */
export interface Opening {
  client: WorkerClient;
  call: Call<"load">;
}

/** Keeps a worker for a model that has been loaded. */
export class Keeper implements Backend {
  /** Resolves when the model can't be asked any more, with what later requests are refused with. */
  readonly ended: Promise<PunaError>;
  readonly #open: () => Opening;
  readonly #onWarning: (message: string) => void;
  #client: WorkerClient;
  #info: ModelInfo;
  /** What the next request waits for, while another worker gets ready. */
  #opening: Promise<WorkerClient> | null = null;
  #coming: WorkerClient | null = null;
  /** The scales that were set last: another worker has those it was loaded with. */
  #scales: string | null = null;
  #ended: PunaError | null = null;
  #tellEnded: (error: PunaError) => void = () => undefined;

  /** `open` loads the model another time, as `client` has it. */
  constructor(
    client: WorkerClient,
    info: ModelInfo,
    open: () => Opening,
    onWarning: (message: string) => void,
  ) {
    this.#client = client;
    this.#info = info;
    this.#open = open;
    this.#onWarning = onWarning;
    this.ended = new Promise((resolve) => {
      this.#tellEnded = resolve;
    });
  }

  /** What the model says of itself, in the worker that it is in now. */
  get info(): ModelInfo {
    return this.#info;
  }

  /** Whether there is a worker with the model in it. */
  get isReady(): boolean {
    return this.#ended === null && this.#client.end === null;
  }

  start<K extends Kind>(kind: K, request: Requests[K], onEvent?: (event: EventMessage) => void): Call<K> {
    if (this.#ended !== null) return refused(this.#ended);
    const client = this.#client;
    if (client.end === null) return client.start(kind, request, onEvent);
    return later(this.#another(client.end), (another) => another.start(kind, request, onEvent));
  }

  answer<K extends Kind>(kind: K, request: Requests[K], signal: AbortSignal | null): Promise<Results[K]> {
    return answerOf(this, kind, request, signal);
  }

  /** Sets the scales of adapters, also for another worker. */
  async adapt(scales: string): Promise<void> {
    await this.start("adapt", { scales }).result;
    this.#scales = scales;
  }

  /** Rejects all that is pending with `error`, and has the worker free what it holds. */
  free(error: PunaError): Promise<unknown> {
    this.#client.abandon(error);
    this.#coming?.abandon(error);
    return this.#client.start("unload", {}).result;
  }

  /** Ends it for good. */
  close(error: PunaError): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    this.#client.close(error);
    this.#coming?.close(error);
    this.#tellEnded(error);
  }

  #another(because: PunaError): Promise<WorkerClient> {
    this.#opening ??= this.#opened(because).finally(() => {
      this.#opening = null;
      this.#coming = null;
    });
    return this.#opening;
  }

  async #opened(because: PunaError): Promise<WorkerClient> {
    // Whatever whoever hears it does with it, the model is loaded.
    queueMicrotask(() => {
      this.#onWarning(`the model is loaded again: ${because.message}`);
    });
    const { client, call } = this.#open();
    this.#coming = client;
    try {
      const info = await call.result;
      if (this.#scales !== null) await client.start("adapt", { scales: this.#scales }).result;
      [this.#client, this.#info] = [client, info];
      return client;
    } catch (error) {
      client.close(error as PunaError);
      throw error;
    }
  }
}

/** A call that is made when there is somebody to make it of. */
function later<K extends Kind>(
  coming: Promise<WorkerClient>,
  make: (client: WorkerClient) => Call<K>,
): Call<K> {
  let call: Call<K> | null = null;
  let refuse: (error: PunaError) => void = () => undefined;
  let isOver = false;
  let isStopped = false;
  const result = new Promise<Results[K]>((resolve, reject) => {
    refuse = reject;
    coming.then((client) => {
      // Nobody wants it any more.
      if (isOver) return;
      call = make(client);
      if (isStopped) call.stop();
      call.result.then(resolve, reject);
    }, reject);
  });
  return {
    result,
    stop() {
      isStopped = true;
      call?.stop();
    },
    cancel(error) {
      isOver = true;
      call?.cancel(error);
      refuse(error);
    },
  };
}
