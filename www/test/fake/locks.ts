// The Web Locks API as far as it is used, and a way to let go of locks as the end of a page does.

type Callback = () => unknown;
interface Waiting {
  isShared: boolean;
  run: Callback;
}

/** `navigator.locks` of an origin. */
export class FakeLocks {
  readonly #held = new Map<string, number>();
  readonly #exclusive = new Set<string>();
  readonly #waiting = new Map<string, Waiting[]>();

  /** Calls back when the lock is had; it is let go of when the promise settles that it gives. */
  request(
    name: string,
    ...rest: [Callback] | [{ mode?: string; signal?: AbortSignal }, Callback]
  ): Promise<unknown> {
    const [{ mode, signal }, callback] =
      rest.length === 1 ? [{} as { mode?: string; signal?: AbortSignal }, rest[0]] : rest;
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(name) ?? [];
      this.#waiting.set(name, waiting);
      const entry: Waiting = {
        isShared: mode === "shared",
        run: () => {
          const given = Promise.resolve(callback());
          given.then(resolve, reject);
          return given;
        },
      };
      waiting.push(entry);
      signal?.addEventListener("abort", () => {
        if (!waiting.includes(entry)) return;
        waiting.splice(waiting.indexOf(entry), 1);
        reject(signal.reason as Error);
      });
      queueMicrotask(() => {
        this.#grant(name);
      });
    });
  }

  /** Which are held. */
  query(): Promise<{ held: { name: string }[] }> {
    return Promise.resolve({ held: [...this.#held.keys()].map((name) => ({ name })) });
  }

  /** Lets go of all locks that begin so, whatever they were held for. */
  drop(prefix: string): void {
    for (const name of [...this.#held.keys()].filter((name) => name.startsWith(prefix))) {
      this.#held.delete(name);
      this.#exclusive.delete(name);
      this.#grant(name);
    }
  }

  #grant(name: string): void {
    const waiting = this.#waiting.get(name) ?? [];
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const count = this.#held.get(name) ?? 0;
      if (this.#exclusive.has(name) || (count > 0 && !next.isShared)) return;
      waiting.shift();
      this.#held.set(name, count + 1);
      if (!next.isShared) this.#exclusive.add(name);
      void Promise.resolve(next.run())
        .catch(() => undefined)
        .then(() => {
          this.#release(name);
        });
    }
  }

  #release(name: string): void {
    const left = (this.#held.get(name) ?? 0) - 1;
    this.#exclusive.delete(name);
    if (left > 0) this.#held.set(name, left);
    else this.#held.delete(name);
    this.#grant(name);
  }
}
