// What `create` tells of a download: its monitor, and the events.

import { HandlerAttribute } from "./handler.js";

/** The draft's `CreateMonitor`. */
export class Monitor extends EventTarget {
  readonly [Symbol.toStringTag] = "CreateMonitor";
  readonly #handler = new HandlerAttribute<ProgressEvent>(this, "downloadprogress");

  get ondownloadprogress(): ((event: ProgressEvent) => unknown) | null {
    return this.#handler.value;
  }

  set ondownloadprogress(handler: unknown) {
    this.#handler.value = handler;
  }
}

/** The draft tells how far a download has come in so many steps. */
const STEPS = 2 ** 16;

/** Tells a monitor how far it is: 0 first, 1 last, ever more in between, and nothing after an abort. */
export class Progress {
  readonly #monitor: EventTarget | null;
  readonly #signal: AbortSignal;
  #last = -1;

  constructor(monitor: EventTarget | null, signal: AbortSignal) {
    this.#monitor = monitor;
    this.#signal = signal;
  }

  /** So much of the whole has come. */
  at(fraction: number): void {
    const loaded = Math.floor(Math.min(Math.max(fraction, 0), 1) * STEPS) / STEPS;
    if (this.#signal.aborted || loaded <= this.#last) return;
    this.#last = loaded;
    this.#monitor?.dispatchEvent(progressEvent(loaded));
  }
}

function progressEvent(loaded: number): Event {
  const facts = { lengthComputable: true, loaded, total: 1 };
  const platform = globalThis as { ProgressEvent?: typeof ProgressEvent };
  const event = platform.ProgressEvent ? new platform.ProgressEvent(TYPE, facts) : new Event(TYPE);
  // Some browsers still have it as a whole number.
  for (const [name, value] of Object.entries(facts)) {
    if ((event as unknown as Record<string, unknown>)[name] !== value) {
      Object.defineProperty(event, name, { value, enumerable: true });
    }
  }
  return event;
}

const TYPE = "downloadprogress";
