// Whether somebody is still there. A lock of the Web Locks API is free as soon as who holds it has gone, however that
// happened: there is no other sign of it, neither of a page that closed nor of a worker that was ended.

/** The lock of an offer, and the lock of a service worker's life, begin so; that of a model's worker has another name. */
export type Holder = "puna offer " | "puna worker ";

/** Holds a lock until `end` settles; resolves when it is held. */
export function hold(name: string, end: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, () => {
        resolve();
        return end;
      })
      .catch(reject);
  });
}

/** Calls `gone` when nobody holds the lock any more; the function given back ends that. */
export function onFree(name: string, gone: () => void): () => void {
  const over = new AbortController();
  navigator.locks
    // Several may wait for the same.
    .request(name, { mode: "shared", signal: over.signal }, () => {
      if (!over.signal.aborted) gone();
    })
    .catch(() => undefined);
  return () => {
    over.abort();
  };
}

/** The names of the locks that are held and begin so. */
export async function heldBy(holder: Holder): Promise<string[]> {
  const { held = [] } = await navigator.locks.query();
  return held.map(({ name = "" }) => name).filter((name) => name.startsWith(holder));
}
