// Event handler attributes, such as `oncontextoverflow`, as HTML has them: one more listener, which can be exchanged.

type Handle<Fired extends Event> = ((event: Fired) => unknown) | null;

/** An attribute of `target` that holds the handler of one type of event. */
export class HandlerAttribute<Fired extends Event> {
  readonly #target: EventTarget;
  readonly #type: string;
  #handler: Handle<Fired> = null;
  #isListening = false;

  constructor(target: EventTarget, type: string) {
    this.#target = target;
    this.#type = type;
  }

  get value(): Handle<Fired> {
    return this.#handler;
  }

  /** What is no function is as good as `null`. */
  set value(handler: unknown) {
    this.#handler = typeof handler === "function" ? (handler as Handle<Fired>) : null;
    if (this.#handler === null || this.#isListening) return;
    this.#isListening = true;
    this.#target.addEventListener(this.#type, (event) => {
      this.#handler?.call(this.#target, event as Fired);
    });
  }
}
