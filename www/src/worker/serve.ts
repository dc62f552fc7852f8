// The worker's half of the protocol: one engine, some answers at a time, the others wait their turn in the order they
// came in.

import { type WireError, PunaError, toWire } from "../errors.js";
import { camelKeys } from "../names.js";
import type {
  CancelMessage,
  Chunks,
  FromWorker,
  Kind,
  Read,
  RequestMessage,
  Requests,
  Results,
  Scored,
  Told,
  WireLoadOptions,
} from "../types/messages.js";
import type { Counters, ModelInfo, ModelReport, ProgressEvent, StoredModel } from "../types/model.js";
import type { CreateEmbeddingResponse } from "../types/openai.js";
import type { WasmEngine } from "./wasm.js";

/** The page, as the worker sees it. */
export interface Page {
  postMessage(message: FromWorker): void;
}

/** Starts the engine and loads a model into it. */
export type LoadEngine = (
  request: Requests["load"],
  onProgress: (progress: ProgressEvent) => void,
  signal: AbortSignal,
) => Promise<WasmEngine>;

/** What the wasm can do; given so that tests run without it. */
export interface Wasm {
  load: LoadEngine;
  /** JSON of what a model's header tells. */
  inspect: (request: Requests["inspect"], signal: AbortSignal) => Promise<string>;
  /** JSON of what the cache holds. */
  list: () => Promise<string>;
  remove: (url: string) => Promise<boolean>;
}

/** A request that waits for its turn. */
type QueuedMessage = Exclude<RequestMessage, { kind: "counters" | "tokenize" | "detokenize" | "adapt" }>;

interface Job {
  id: number;
  controller: AbortController;
  /** Whether others like it may run beside it: the engine answers them by turns. */
  isShared: boolean;
  run: (signal: AbortSignal) => Promise<Results[Kind]>;
}

/** Serves one page: hand it every message that comes in. */
export class Server {
  readonly #page: Page;
  readonly #wasm: Wasm;
  #engine: WasmEngine | null = null;
  readonly #running = new Set<Job>();
  #waiting: Job[] = [];
  #limits = LIMITS;
  /** Stops the timing of shaders, for which there is time while nothing else is to be done. */
  #tuning: AbortController | null = null;

  constructor(page: Page, wasm: Wasm) {
    this.#page = page;
    this.#wasm = wasm;
  }

  /** Takes a message of the page. */
  handle(message: RequestMessage | CancelMessage): void {
    switch (message.kind) {
      case "cancel":
        this.#cancel(message.id);
        break;
      case "counters":
        // At once and not in turn: a test may look while an answer is made.
        this.#settle(message.id, () => this.#countersOf(this.#loaded()));
        break;
      case "tokenize":
        // Whoever counts tokens does so while an answer is made, too.
        this.#settle(
          message.id,
          () => JSON.parse(this.#loaded().tokenize(message.wire, message.request)) as Told,
        );
        break;
      case "detokenize":
        this.#settle(message.id, () => this.#loaded().detokenize(message.ids, message.special));
        break;
      case "adapt":
        this.#settle(message.id, () => {
          this.#loaded().set_adapters(message.scales);
          return null;
        });
        break;
      case "unload":
        this.#stopAll();
        this.#enqueue(message);
        break;
      case "load":
      case "inspect":
      case "chat":
      case "complete":
      case "message":
      case "respond":
      case "score":
      case "embed":
      case "read":
      case "save":
      case "restore":
      case "list":
      case "remove":
        this.#enqueue(message);
        break;
    }
  }

  #enqueue(message: QueuedMessage): void {
    const job: Job = {
      id: message.id,
      controller: new AbortController(),
      isShared: SHARED.includes(message.kind),
      run: (signal) => this.#perform(message, signal),
    };
    this.#waiting.push(job);
    this.#tuning?.abort();
    this.#work();
    // Who waits for the timing of shaders to end waits for nobody's answer.
    const most = this.#limits.waiting + (this.#tuning === null ? 0 : 1);
    if (BOUNDED.includes(message.kind) && this.#waiting.includes(job) && this.#waiting.length > most) {
      this.#waiting.pop();
      this.#fail(message.id, busy(this.#limits));
    }
  }

  /** Starts what may run now. */
  #work(): void {
    while (this.#tuning === null) {
      const [job] = this.#waiting;
      if (job === undefined) {
        if (this.#running.size === 0) void this.#tune();
        return;
      }
      const isBeside = job.isShared && [...this.#running].every((running) => running.isShared);
      if (this.#running.size >= (isBeside ? this.#limits.parallel : 1)) return;
      this.#waiting.shift();
      this.#running.add(job);
      void this.#run(job);
    }
  }

  async #run(job: Job): Promise<void> {
    try {
      const result = await job.run(job.controller.signal);
      this.#page.postMessage({ kind: "done", id: job.id, result });
    } catch (error) {
      this.#fail(job.id, error);
    }
    this.#running.delete(job);
    this.#work();
  }

  /** Times some shaders, as long as there is nothing else to do. */
  async #tune(): Promise<void> {
    if (this.#engine === null) return;
    this.#tuning = new AbortController();
    let more = false;
    try {
      more = await this.#engine.tune(this.#tuning.signal);
    } catch {
      // Whatever it is, the next request hears of it.
    }
    this.#tuning = null;
    if (more || this.#waiting.length > 0) this.#work();
  }

  async #perform(message: QueuedMessage, signal: AbortSignal): Promise<Results[Kind]> {
    switch (message.kind) {
      case "load":
        return this.#load(message.id, message, signal);
      case "inspect":
        return reportOf(await this.#wasm.inspect({ ...message, options: ofEngine(message.options) }, signal));
      case "chat":
        return this.#texts(message.id, signal, (onChunk) =>
          this.#loaded().chat(message.request, onChunk, signal),
        );
      case "complete":
        return this.#texts(message.id, signal, (onChunk) =>
          this.#loaded().complete(message.request, onChunk, signal),
        );
      case "message":
        return this.#texts(message.id, signal, (onChunk) =>
          this.#loaded().message(message.request, onChunk, signal),
        );
      case "respond":
        return this.#texts(message.id, signal, (onChunk) =>
          this.#loaded().respond(message.request, onChunk, signal),
        );
      case "score":
        return JSON.parse(await this.#loaded().score(message.request, signal)) as Scored;
      case "embed":
        return JSON.parse(await this.#loaded().embed(message.request, signal)) as CreateEmbeddingResponse;
      case "read":
        return readOf(await this.#loaded().read(message.request, signal));
      case "save":
        return this.#loaded().save(message.ids, message.precision, signal);
      case "restore":
        return readOf(await this.#loaded().restore(message.bytes, signal));
      case "unload":
        this.#engine?.unload();
        this.#engine = null;
        return null;
      case "list":
        return camelKeys(JSON.parse(await this.#wasm.list())) as StoredModel[];
      case "remove":
        return this.#wasm.remove(message.url);
    }
  }

  async #load(id: number, request: Requests["load"], signal: AbortSignal): Promise<ModelInfo> {
    if (this.#engine !== null) throw new PunaError("internal", "load: this worker has a model already");
    const onProgress = (progress: ProgressEvent): void => {
      this.#page.postMessage({ kind: "progress", id, progress });
    };
    const { parallel = LIMITS.parallel, queue_limit: waiting = LIMITS.waiting } = request.options;
    const options = ofEngine(request.options);
    this.#engine = await this.#wasm.load({ ...request, options }, onProgress, signal);
    this.#limits = { parallel: Math.min(parallel, this.#engine.conversations()), waiting };
    return camelKeys(JSON.parse(this.#engine.info())) as ModelInfo;
  }

  /** A whole answer, or `null` where it is streamed. */
  async #texts<K extends keyof Chunks>(
    id: number,
    signal: AbortSignal,
    ask: (onChunk: (json: string) => void) => Promise<string>,
  ): Promise<Results[K]> {
    const json = await ask((chunk) => {
      // A chunk that was made before the stop was seen belongs to nobody.
      if (signal.aborted) return;
      this.#page.postMessage({ kind: "chunk", id, chunk: JSON.parse(chunk) as Chunks[K] });
    });
    return json === "" ? null : (JSON.parse(json) as Results[K]);
  }

  #countersOf(engine: WasmEngine): Counters {
    return camelKeys(JSON.parse(engine.counters())) as Counters;
  }

  #loaded(): WasmEngine {
    if (this.#engine === null) throw new PunaError("internal", "no model is loaded in this worker");
    return this.#engine;
  }

  #cancel(id: number): void {
    const running = [...this.#running].find((job) => job.id === id);
    if (running !== undefined) {
      running.controller.abort();
      return;
    }
    const ix = this.#waiting.findIndex((job) => job.id === id);
    // Not there: it ended while the message was on its way.
    if (ix === -1) return;
    this.#waiting.splice(ix, 1);
    this.#fail(id, ABORTED);
  }

  #stopAll(): void {
    for (const { id } of [...this.#waiting]) this.#cancel(id);
    for (const job of this.#running) job.controller.abort();
  }

  #settle(id: number, work: () => Results[Kind]): void {
    try {
      this.#page.postMessage({ kind: "done", id, result: work() });
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #fail(id: number, error: unknown): void {
    const wire = toWire(error);
    this.#page.postMessage({ kind: "failed", id, error: wire });
    // After a panic or a trap the wasm's state is anybody's guess: it must not answer again. Our own `PunaError`
    // is no word of the wasm's.
    if (wire.code === "internal" && !(error instanceof PunaError)) {
      this.#page.postMessage({ kind: "died", error: wire });
    }
  }
}

/** A restored one was known as a whole. */
function readOf(json: string): Read {
  const { ids, cachedTokens } = camelKeys(JSON.parse(json)) as Partial<Read> & Pick<Read, "ids">;
  return { ids, cachedTokens: cachedTokens ?? ids.length };
}

/** Answers that are made by turns. */
const SHARED: readonly string[] = ["chat", "complete", "message", "respond", "score"] satisfies Kind[];

/** Requests of which no more than so many may wait. */
const BOUNDED: readonly string[] = [...SHARED, "embed", "read", "save", "restore"];

/** The options without those that are the worker's own. */
function ofEngine(options: WireLoadOptions): WireLoadOptions {
  const others = { ...options };
  delete others.parallel;
  delete others.queue_limit;
  return others;
}

/** Answers at a time, and requests that wait for theirs. */
interface Limits {
  parallel: number;
  waiting: number;
}

const LIMITS: Limits = { parallel: 4, waiting: 256 };

function busy({ waiting }: Limits): PunaError {
  return new PunaError(
    "busy",
    `${waiting} requests wait for this model already, and no more may; try again when some are answered, or load it with a larger queueLimit`,
    { details: { waiting } },
  );
}

/** The keys of the metadata are the model's own. */
function reportOf(json: string): ModelReport {
  const { metadata, ...ours } = JSON.parse(json) as Pick<ModelReport, "metadata">;
  return { ...(camelKeys(ours) as Omit<ModelReport, "metadata">), metadata };
}

const ABORTED: WireError = {
  code: "aborted",
  message: "the request was stopped before its turn came",
  details: {},
};
