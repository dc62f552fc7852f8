// What ends some work before it is done: any of several signals.

/** Follows some signals until it is released. */
export class Scope {
  readonly #controller = new AbortController();
  readonly #release: (() => void)[] = [];

  constructor(signals: readonly (AbortSignal | null)[]) {
    for (const signal of signals) if (signal !== null) this.#follow(signal);
  }

  /** Is aborted with the reason of the first that was. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Leaves no listener behind. */
  release(): void {
    for (const release of this.#release.splice(0)) release();
  }

  #follow(signal: AbortSignal): void {
    const abort = (): void => {
      this.#controller.abort(signal.reason);
    };
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener("abort", abort, { once: true });
    this.#release.push(() => {
      signal.removeEventListener("abort", abort);
    });
  }
}

/** The result of some work, or at once the reason of an abort. What the work comes to then is nobody's. */
export async function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const scope = new Scope([signal]);
  try {
    return await Promise.race([work, aborted(scope.signal)]);
  } finally {
    scope.release();
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever the caller aborted with
      reject(signal.reason);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
