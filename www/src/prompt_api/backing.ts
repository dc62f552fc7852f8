// The model behind all sessions of a class: loaded when the first needs it, shared, and unloaded if that is asked for.

import { InvalidRequestError, PunaError } from "../index.js";
import type { LoadOptions, ModelSource, ProgressEvent } from "../types/model.js";
import { type Loader, availabilityOf } from "./availability.js";
import { Behind, type ChatModel } from "./behind.js";
import { inWordsOfTheDraft, unloaded } from "./errors.js";
import { readLanguages } from "./expected.js";
import { untilAborted } from "./scope.js";
import { safeOptions } from "./threads.js";
import type { Availability } from "./types.js";

/** How a model stands behind `LanguageModel`: options of `load`, and these. */
export interface BackingOptions extends Omit<LoadOptions, "signal"> {
  /**
   * Languages (BCP 47) that the model is known to speak: sessions that expect others are refused. Where absent all are taken, for a
   * model's file does not tell.
   */
  languages?: string[];
  /** Whether the model is unloaded when its last session is destroyed; the next one loads it again. */
  unloadWhenUnused?: boolean;
}

/** A load on its way. */
interface Loading {
  behind: Promise<Behind>;
  controller: AbortController;
  listeners: Set<(fraction: number) => void>;
  fraction: number;
  /** Whether it takes everything from this machine, as far as can be told. */
  isKept: boolean;
}

/** Models of one source: at any time one of them at most. */
export class Backing {
  readonly languages: readonly string[] | null;
  readonly #loader: Loader;
  readonly #source: ModelSource | ChatModel;
  readonly #options: LoadOptions;
  readonly #unloadsWhenUnused: boolean;
  #behind: Behind | null = null;
  #loading: Loading | null = null;
  /** When what was loaded last has gone: two at once would be in each other's way. */
  #gone: Promise<unknown> = Promise.resolve();
  #users = 0;
  /** Whether a model that was given was unloaded. */
  #isOver = false;

  constructor(loader: Loader, source: ModelSource | ChatModel, options: BackingOptions) {
    const { languages, unloadWhenUnused = false, ...others } = options;
    if (unloadWhenUnused && isModel(source)) {
      throw new TypeError("unloadWhenUnused: a model that is loaded already is its owner's to unload");
    }
    this.languages = languages === undefined ? null : readLanguages(languages);
    this.#loader = loader;
    this.#source = source;
    this.#options = safeOptions(others);
    this.#unloadsWhenUnused = unloadWhenUnused;
    if (isModel(source)) {
      void source.ended.then(() => {
        this.#isOver = true;
      });
    }
  }

  /** Whether the model can be had. No weights are fetched for it. */
  async availability(): Promise<Availability> {
    const source = this.#source;
    if (this.#isOver) return "unavailable";
    if (this.#behind !== null || isModel(source)) return "available";
    if (this.#loading !== null) return this.#loading.isKept ? "available" : "downloading";
    return availabilityOf(this.#loader, source, this.#options);
  }

  /** The model, which is loaded if it is not there; `onFraction` hears how much of it has come. */
  async ready(
    signal: AbortSignal,
    onFraction: (fraction: number) => void = () => undefined,
  ): Promise<Behind> {
    if (this.#behind !== null) return this.#behind;
    const loading = (this.#loading ??= this.#load());
    onFraction(loading.fraction);
    loading.listeners.add(onFraction);
    try {
      return await untilAborted(loading.behind, signal);
    } finally {
      loading.listeners.delete(onFraction);
      // Nobody waits for it any more.
      if (loading.listeners.size === 0 && this.#loading === loading) {
        this.#loading = null;
        loading.controller.abort();
      }
    }
  }

  /** Takes note of somebody who needs the model. */
  retain(): void {
    this.#users++;
  }

  /** Of somebody who does not any more. */
  release(): void {
    this.#users--;
    if (this.#users === 0 && this.#unloadsWhenUnused) this.#unload();
  }

  /** An error of the model's as it is told. */
  failed(behind: Behind, error: unknown): unknown {
    if (!(error instanceof PunaError)) return error;
    return behind.end instanceof InvalidRequestError ? unloaded(error) : error;
  }

  #unload(): void {
    const behind = this.#behind;
    this.#behind = null;
    if (behind !== null) this.#gone = behind.model.unload().catch(() => undefined);
  }

  #load(): Loading {
    const controller = new AbortController();
    const loading: Loading = {
      behind: this.#loaded(controller.signal, (progress) => {
        report(loading, progress);
      }),
      controller,
      listeners: new Set(),
      fraction: 0,
      isKept: isModel(this.#source),
    };
    const settled = loading.behind.then(
      (behind) => {
        if (this.#loading !== loading) return isModel(this.#source) ? undefined : behind.model.unload();
        [this.#behind, this.#loading] = [behind, null];
        // One that was given may be unloaded by its owner.
        void behind.model.ended.then(() => {
          if (this.#behind === behind) this.#behind = null;
        });
        return undefined;
      },
      () => {
        if (this.#loading === loading) this.#loading = null;
      },
    );
    this.#gone = settled.catch(() => undefined);
    return loading;
  }

  async #loaded(signal: AbortSignal, onProgress: (progress: ProgressEvent) => void): Promise<Behind> {
    await this.#gone;
    signal.throwIfAborted();
    try {
      const source = this.#source;
      if (isModel(source)) return await Behind.of(source);
      const options = this.#options;
      const model = await this.#loader.load(source, {
        ...options,
        signal,
        onProgress(progress) {
          options.onProgress?.(progress);
          onProgress(progress);
        },
      });
      return await Behind.of(model).catch(async (error: unknown) => {
        await model.unload();
        throw error;
      });
    } catch (error) {
      if (this.#isOver) throw unloaded(error);
      throw inWordsOfTheDraft(error, "create");
    }
  }
}

function report(
  loading: Loading,
  { loadedBytes, totalBytes, networkBytes, cachedBytes }: ProgressEvent,
): void {
  loading.isKept = networkBytes === 0 && cachedBytes > 0;
  if (totalBytes > 0) loading.fraction = loadedBytes / totalBytes;
  for (const listener of [...loading.listeners]) listener(loading.fraction);
}

function isModel(source: ModelSource | ChatModel): source is ChatModel {
  return typeof source === "object" && "chat" in source;
}
