// The model on this device: when it is loaded, what became of it.

import { InvalidRequestError, type Model, PunaError, type load, onAbort } from "../index.js";
import type { LocalSource } from "./options.js";
import { NotHere } from "./policy.js";
import { untilAborted } from "./wait.js";

/** How far the local model is. */
export type LocalState = "none" | "idle" | "loading" | "ready" | "failed";

/** The model of one client. It is loaded once; what fails is tried again by `load` alone. */
export class Local {
  readonly #source: LocalSource | null;
  readonly #load: typeof load;
  #model: Model | null = null;
  #loading: Promise<Model> | null = null;
  /** Why there is no model, where one was there or was to be. */
  #failure: unknown = null;
  #stop = new AbortController();

  constructor(source: LocalSource | null, loader: typeof load) {
    this.#source = source;
    this.#load = loader;
    if (source === null || "source" in source) return;
    if ("then" in source) void this.#settle(source);
    else this.#keep(source);
  }

  get model(): Model | null {
    return this.#model;
  }

  get state(): LocalState {
    if (this.#source === null) return "none";
    if (this.#loading !== null) return "loading";
    if (this.#model !== null) return this.#model.isReady ? "ready" : "loading";
    return this.#failure === null ? "idle" : "failed";
  }

  /** Loads the model, unless it is there or on its way. */
  load(): Promise<Model> {
    if (this.#loading !== null) return this.#loading;
    if (this.#model !== null) return Promise.resolve(this.#model);
    const given = this.#source;
    if (given === null) return Promise.reject(noLocal());
    // One that was given can't be had a second time.
    if (!("source" in given)) return Promise.reject(asError(this.#failure));
    this.#stop = new AbortController();
    return this.#settle(this.#loaded(given.source, given.options ?? {}));
  }

  /** The model for a request, which loads it if nobody has; what failed before fails at once. */
  async forRequest(isPatient: boolean, signal: AbortSignal | null): Promise<Model> {
    if (this.#source === null) throw noLocal();
    if (this.#model !== null) {
      if (isPatient || this.#model.isReady) return this.#model;
      // It is on its way again then.
      this.#model.counters().catch(() => undefined);
      throw stillLoading();
    }
    if (this.#loading === null && this.#failure !== null) throw asError(this.#failure);
    const loading = this.load();
    if (!isPatient) throw stillLoading();
    return untilAborted(loading, signal);
  }

  /** Frees what this client has loaded, and stops a load; a model that it was given is left alone. */
  async unload(): Promise<void> {
    if (this.#source === null || !("source" in this.#source)) return;
    this.#stop.abort();
    await this.#loading?.catch(() => undefined);
    const model = this.#model;
    this.#model = null;
    this.#failure = new InvalidRequestError(
      "this client's model was unloaded: call load() of the client for a new one",
    );
    await model?.unload();
  }

  async #loaded(
    source: Parameters<typeof load>[0],
    options: NonNullable<Parameters<typeof load>[1]>,
  ): Promise<Model> {
    const stop = this.#stop;
    const release = onAbort(options.signal, () => {
      stop.abort(options.signal?.reason);
    });
    try {
      return await this.#load(source, { ...options, signal: stop.signal });
    } finally {
      release();
    }
  }

  /** Waits for a model that is on its way. */
  #settle(coming: Promise<Model>): Promise<Model> {
    const loading = coming.then(
      (model) => {
        this.#loading = null;
        this.#failure = null;
        this.#keep(model);
        return model;
      },
      (error: unknown) => {
        this.#loading = null;
        this.#failure = error;
        throw error;
      },
    );
    this.#loading = loading;
    // Whoever waits for it is told; nobody may.
    loading.catch(() => undefined);
    return loading;
  }

  #keep(model: Model): void {
    this.#model = model;
    void model.ended.then((error) => {
      if (this.#model !== model) return;
      this.#model = null;
      this.#failure = error;
    });
  }
}

function stillLoading(): NotHere {
  return new NotHere(
    "loading",
    "the model is still loading: the request may wait for it, or go to the server",
  );
}

function noLocal(): NotHere {
  return new NotHere("no_local", "local: there is no model that could be asked here; give createClient one");
}

/** What a promise of a model was rejected with may be anything. */
function asError(error: unknown): Error {
  return error instanceof Error
    ? error
    : new PunaError("internal", `the model did not load: ${String(error)}`);
}
