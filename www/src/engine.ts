// From a model's address to a model that can be asked.

import { onAbort } from "./abort.js";
import { setAdapters } from "./adapters.js";
import { ChatCompletions } from "./chat.js";
import { Completions } from "./completions.js";
import { Embeddings } from "./embeddings.js";
import { AbortError, InvalidRequestError, type PunaError, abortErrorOf } from "./errors.js";
import { modelRequest } from "./options.js";
import { type Session, session } from "./session.js";
import type { RequestOptions } from "./texts.js";
import { type ScoreOptions, countTokens, detokenize, score, tokenize } from "./tokens.js";
import type { AdapterScales } from "./types/adapters.js";
import type {
  Counters,
  DeviceInfo,
  LoadOptions,
  ModelInfo,
  ModelSource,
  SessionSource,
} from "./types/model.js";
import type { Score, TextSource, Token } from "./types/tokens.js";
import { fetchOf } from "./wire/fetch.js";
import { WorkerClient, type WorkerLike } from "./worker/client.js";
import { Keeper, type Opening } from "./worker/keeper.js";
import { startWorker } from "./worker/start.js";

/** How long a worker is waited for that was told to stop, before it is ended from outside. */
const GRACE_MS = 3000;

/**
 * A loaded model. It owns a worker and its place in memory until `unload`. Where the worker dies, or its GPU is lost, all that runs
 * is rejected, and the next request loads the model again, from what is kept.
 */
export class Model {
  /** The model's name, as answers carry it. */
  readonly id: string;
  /** As in the `openai` package. */
  readonly chat: { readonly completions: ChatCompletions };
  /** As in the `openai` package: texts that are gone on with, without a chat. */
  readonly completions: Completions;
  /** As in the `openai` package; for models that make vectors of texts (`info.embeddingDimensions`). */
  readonly embeddings: Embeddings;
  /**
   * A `fetch` that this model answers, as OpenAI's server would: give it to a client that was written for a hosted API.
   *
   * @example
   * const client = new OpenAI({ apiKey: "none", dangerouslyAllowBrowser: true, fetch: model.fetch });
   */
  readonly fetch: typeof fetch;
  /** Resolves when the model can't be asked any more, for it was unloaded: with the error that tells. */
  readonly ended: Promise<PunaError>;
  readonly #keeper: Keeper;
  #unloading: Promise<void> | null = null;

  /** @internal */
  constructor(keeper: Keeper) {
    const { id, adapters } = keeper.info;
    this.#keeper = keeper;
    this.id = id;
    this.ended = keeper.ended;
    this.chat = { completions: new ChatCompletions(keeper) };
    this.completions = new Completions(keeper);
    this.embeddings = new Embeddings(keeper);
    this.fetch = fetchOf(keeper, {
      id,
      adapters: adapters.map(({ name }) => name),
      created: Math.floor(Date.now() / 1000),
    });
  }

  /** What the file says about itself. */
  get info(): ModelInfo {
    return this.#keeper.info;
  }

  /** Whether it can be asked at once; where its worker is gone, the next request loads it again, and waits for that. */
  get isReady(): boolean {
    return this.#keeper.isReady;
  }

  /** What it runs on, and why. */
  get device(): DeviceInfo {
    return this.#keeper.info.device;
  }

  /**
   * Reads the beginning of conversations ahead of their questions: messages, with tools if they are offered, or a `prompt`;
   * or takes what `Session.save` gave. Chats that begin so go on from there.
   *
   * @example
   * const guide = await model.session({ messages: [{ role: "system", content: rules }] });
   */
  session(source: SessionSource, options: RequestOptions = {}): Promise<Session> {
    return session(this.#keeper, source, options);
  }

  /**
   * The tokens of a text, or of what would be read before an answer. Answered also while a request runs, as are the next two.
   *
   * @example
   * const tokens = await model.tokenize("Hello there"); // [{ id: 19556, text: "Hello" }, …]
   */
  tokenize(source: TextSource): Promise<Token[]> {
    return tokenize(this.#keeper, source);
  }

  /**
   * How many tokens a text has, or what would be read before an answer: with the instructions, marks and tools that the model's
   * template writes.
   *
   * @example
   * const left = model.info.contextLength - (await model.countTokens({ messages }));
   */
  countTokens(source: TextSource): Promise<number> {
    return countTokens(this.#keeper, source);
  }

  /** The text of tokens. `special` shows control tokens as they are written; else they are left out. */
  async detokenize(ids: Iterable<number>, { special = false }: { special?: boolean } = {}): Promise<string> {
    return detokenize(this.#keeper, ids, special);
  }

  /**
   * How likely the model finds a text: token by token, as a whole, and as a perplexity. With `after`, how likely it is as an
   * answer, or as what comes next.
   *
   * @example
   * const { perplexity } = await model.score("The cat sat on the mat.");
   * const { logprob } = await model.score(" Paris", { after: { prompt: "The capital of France is" } });
   */
  score(text: string, options: ScoreOptions = {}): Promise<Score> {
    return score(this.#keeper, text, options);
  }

  /**
   * Switches adapters: what those that were loaded are multiplied by from now on, where a request says nothing; those that are
   * not named, by 0. What runs goes on as it began.
   *
   * @example
   * await model.setAdapters({ legal: 1 }); // and no other
   */
  setAdapters(scales: AdapterScales): Promise<void> {
    return setAdapters(this.#keeper, scales);
  }

  /** Counts since the load, for tests and measurements. Answered also while a request runs. */
  counters(): Promise<Counters> {
    return this.#keeper.start("counters", {}).result;
  }

  /**
   * Stops what runs, which ends with an `AbortError`, and frees the memory and the worker. Every later
   * request is refused. Calling it again does no harm.
   */
  unload(): Promise<void> {
    this.#unloading ??= this.#unload();
    return this.#unloading;
  }

  async #unload(): Promise<void> {
    const freed = this.#keeper.free(new AbortError("the model was unloaded while it answered"));
    // Whether it freed itself or not: with the worker goes all that it held.
    await within(GRACE_MS, freed);
    this.#keeper.close(new InvalidRequestError("this model was unloaded: call load() for a new one"));
  }
}

/**
 * Loads a model: the address of a GGUF file, of a shard manifest, or a file at hand. The weights come from the
 * browser's cache where they are there and else from the network, and go to the GPU as they arrive, or to the
 * processor's executor where there is none.
 *
 * @example
 * const model = await load("https://example.org/model.gguf", {
 *   onProgress: ({ loadedBytes, totalBytes }) => show(`${loadedBytes} of ${totalBytes}`),
 * });
 */
export function load(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  return loadIn(startWorker, source, options);
}

/** `load` with the worker given. */
export async function loadIn(
  start: () => WorkerLike,
  source: ModelSource,
  options: LoadOptions,
): Promise<Model> {
  const request = modelRequest(source, options);
  const { signal, onProgress, onWarning } = options;
  throwIfAborted(signal);

  const warn = onWarning ?? warnOnConsole;
  const open = (): Opening => {
    const client = new WorkerClient(start(), warn);
    const call = client.start("load", request, (event) => {
      if (event.kind === "progress") onProgress?.(event.progress);
    });
    return { client, call };
  };
  const { client, call } = open();
  // The worker is given time to stop by itself: it holds the cache open, and what arrived shall be kept.
  let timer: ReturnType<typeof setTimeout> | undefined;
  const release = onAbort(signal, () => {
    call.stop();
    timer = setTimeout(() => {
      call.cancel(new AbortError());
    }, GRACE_MS);
  });
  try {
    const info = await call.result;
    // It may have been done when it was told to stop.
    throwIfAborted(signal);
    return new Model(new Keeper(client, info, open, warn));
  } catch (error) {
    const reason = error instanceof AbortError && signal ? abortErrorOf(signal) : error;
    client.close(new InvalidRequestError("this model did not load", { cause: reason }));
    throw reason;
  } finally {
    release();
    clearTimeout(timer);
  }
}

function warnOnConsole(message: string): void {
  // eslint-disable-next-line no-console -- nobody listens: it is not to be lost
  console.warn(`puna: ${message}`);
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortErrorOf(signal);
}

/** Waits for an end, good or bad, but not for long. */
async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work.catch(() => undefined), limit]);
  clearTimeout(timer);
}
