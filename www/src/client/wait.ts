// Waiting for what others wait for, too: whoever gives up leaves it running.

import { abortErrorOf, onAbort } from "../index.js";

/** What `work` comes to, or the `AbortError` of `signal`. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (signal === null) return work;
  let release = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    release = onAbort(signal, () => {
      reject(abortErrorOf(signal));
    });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    release();
  }
}
