// Listening to a caller's AbortSignal without leaving a listener behind.

/** Calls `stop` when `signal` is aborted, at once if it is already; the function given back ends that. */
export function onAbort(signal: AbortSignal | undefined | null, stop: () => void): () => void {
  if (signal === undefined || signal === null) return () => undefined;
  if (signal.aborted) {
    stop();
    return () => undefined;
  }
  signal.addEventListener("abort", stop, { once: true });
  return () => {
    signal.removeEventListener("abort", stop);
  };
}
