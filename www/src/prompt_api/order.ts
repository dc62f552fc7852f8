// One thing after the other: what a session is asked is done in the order in which it was asked.

import { untilAborted } from "./scope.js";

/** A queue of one session. */
export class Order {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Does some work when all that was asked before has ended, good or bad. An abort rejects at once; what waits for its turn then is
   * never begun, and what runs hears of it through `signal` and holds up those behind it until it has ended.
   */
  run<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    this.#last = turn.catch(() => undefined);
    return untilAborted(turn, signal);
  }
}
