// Whether there is a page that anything could be done for.

import { domException } from "./errors.js";

/** Throws in a frame that was taken out of its page; a worker has none, and is active as long as it runs. */
export function assertActive(): void {
  const { document } = globalThis as { document?: Document };
  if (document?.defaultView === null) {
    throw domException("InvalidStateError", "the document is not active any more: its frame was removed");
  }
}
