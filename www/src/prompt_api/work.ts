// What is done for a session, until something stops it.

import { assertActive } from "./active.js";
import type { Backing } from "./backing.js";
import type { Behind } from "./behind.js";
import { inWordsOfTheDraft } from "./errors.js";
import { Order } from "./order.js";
import { Scope, untilAborted } from "./scope.js";

/** Signals that stop some work; `null` where a caller gave none. */
export type Signals = readonly (AbortSignal | null)[];

/** The work of one session. */
export class Work {
  readonly #backing: Backing;
  readonly #order = new Order();
  readonly #end = new AbortController();

  constructor(backing: Backing) {
    this.#backing = backing;
    backing.retain();
  }

  /** Is aborted when the session ends. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Rejects what runs or waits, and all that comes later, with that reason. */
  end(reason: unknown): void {
    if (this.ended.aborted) return;
    this.#end.abort(reason);
    this.#backing.release();
  }

  /** Does some work with the model when all that was asked before has ended. */
  inOrder<Result>(
    signals: Signals,
    work: (behind: Behind, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    return this.within(signals, (signal) => this.#order.run(signal, () => this.#withModel(signal, work)));
  }

  /** Does some work with the model, whatever else is done. */
  beside<Result>(signals: Signals, work: (behind: Behind) => Promise<Result>): Promise<Result> {
    return this.within(signals, (signal) => untilAborted(this.#withModel(signal, work), signal));
  }

  /** Does some work until one of the signals is aborted, or the session ends: then it rejects with their reason. */
  async within<Result>(signals: Signals, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    assertActive();
    const scope = new Scope([this.ended, ...signals]);
    try {
      scope.signal.throwIfAborted();
      return await work(scope.signal);
    } catch (error) {
      throw inWordsOfTheDraft(error, "prompt");
    } finally {
      scope.release();
    }
  }

  async #withModel<Result>(
    signal: AbortSignal,
    work: (behind: Behind, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const behind = await this.#backing.ready(signal);
    try {
      return await work(behind, signal);
    } catch (error) {
      throw this.#backing.failed(behind, error);
    }
  }
}
