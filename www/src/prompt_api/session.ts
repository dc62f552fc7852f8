// A session: the state of one conversation, and what it is asked.

import { assertActive } from "./active.js";
import { type Asked, readAsked, told } from "./asked.js";
import type { Backing } from "./backing.js";
import type { Room } from "./behind.js";
import type { Conversation } from "./conversation.js";
import { HandlerAttribute } from "./handler.js";
import { type GivenMessage, type Said, canonical } from "./messages.js";
import { take } from "./turn.js";
import type {
  LanguageModelMessageContent,
  LanguageModelPromptResult,
  LanguageModelSamplingMode,
} from "./types.js";
import { abortSignal, dictionary } from "./webidl.js";
import type { Wanted } from "./wanted.js";
import { type Signals, Work } from "./work.js";

/** What a session is made of. Nobody outside has one, so that nobody calls the constructor. */
export class Setup {
  constructor(
    readonly backing: Backing,
    readonly wanted: Wanted,
    readonly contextWindow: number,
    readonly conversation: Conversation,
    readonly contextUsage: number,
  ) {}
}

/** The draft's `LanguageModel`, but for what is static. */
export class Session extends EventTarget {
  readonly [Symbol.toStringTag] = "LanguageModel";
  readonly #setup: Setup;
  readonly #work: Work;
  readonly #oncontextoverflow = new HandlerAttribute<Event>(this, "contextoverflow");
  readonly #onquotaoverflow = new HandlerAttribute<Event>(this, "quotaoverflow");
  #conversation: Conversation;
  #contextUsage: number;

  constructor(setup?: Setup) {
    super();
    if (!(setup instanceof Setup)) throw new TypeError("Illegal constructor: call LanguageModel.create()");
    this.#setup = setup;
    this.#work = new Work(setup.backing);
    this.#conversation = setup.conversation;
    this.#contextUsage = setup.contextUsage;
  }

  async prompt(...given: [input: unknown, options?: unknown]): Promise<LanguageModelPromptResult> {
    const asked = readAsked(given, this.#setup.wanted.thinking);
    const calls: LanguageModelMessageContent[] = [];
    const said = { thought: "", text: "" };
    await this.#answer(asked, [asked.signal], (part) => {
      if (part.type === "text" || part.type === "thought") said[part.type] += part.value as string;
      else calls.push(part);
    });
    if (calls.length === 0 && !asked.thinking.includeThoughts) return said.text;
    const texts = (["thought", "text"] as const).map((type) => ({ type, value: said[type] }));
    return [...texts.filter(({ value }) => value !== ""), ...calls];
  }

  promptStreaming(
    ...given: [input: unknown, options?: unknown]
  ): ReadableStream<string | LanguageModelMessageContent> {
    const asked = readAsked(given, this.#setup.wanted.thinking);
    assertActive();
    asked.signal?.throwIfAborted();
    this.#work.ended.throwIfAborted();
    const cancelled = new AbortController();
    return new ReadableStream({
      start: (controller) => {
        const answered = this.#answer(asked, [asked.signal, cancelled.signal], (part) => {
          const isPlain = part.type === "text" && !asked.thinking.includeThoughts;
          controller.enqueue(isPlain ? (part.value as string) : part);
        });
        // Who cancelled it hears nothing more.
        answered.then(
          () => {
            if (!cancelled.signal.aborted) controller.close();
          },
          (error: unknown) => {
            if (!cancelled.signal.aborted) controller.error(error);
          },
        );
      },
      cancel() {
        cancelled.abort();
      },
    });
  }

  async append(...given: [input: unknown, options?: unknown]): Promise<undefined> {
    const { input, signal } = readAsked(given, this.#setup.wanted.thinking);
    return this.#work.inOrder([signal], async (behind, signal) => {
      if (input.length === 0) return undefined;
      const messages = whole(this.#said(input));
      const { tools } = this.#setup.wanted;
      const room = await behind.roomFor(this.#conversation, messages, tools);
      signal.throwIfAborted();
      this.#cut(room);
      const conversation = room.conversation.with(messages);
      await behind.read(conversation.messages, tools, signal);
      signal.throwIfAborted();
      this.#conversation = conversation;
      this.#contextUsage = room.usage;
      return undefined;
    });
  }

  async measureContextUsage(...given: [input: unknown, options?: unknown]): Promise<number> {
    const { inputs, thinking } = this.#setup.wanted;
    const asked = readAsked(given, thinking);
    return this.#work.beside([asked.signal], async (behind) => {
      const said = canonical(asked.input, inputs.types, true);
      return behind.measure(whole(told(said, asked)));
    });
  }

  get contextUsage(): number {
    return this.#contextUsage;
  }

  get contextWindow(): number {
    return this.#setup.contextWindow;
  }

  get oncontextoverflow(): ((event: Event) => unknown) | null {
    return this.#oncontextoverflow.value;
  }

  set oncontextoverflow(handler: unknown) {
    this.#oncontextoverflow.value = handler;
  }

  measureInputUsage(...given: [input: unknown, options?: unknown]): Promise<number> {
    return this.measureContextUsage(...given);
  }

  get inputUsage(): number {
    return this.#contextUsage;
  }

  get inputQuota(): number {
    return this.#setup.contextWindow;
  }

  get onquotaoverflow(): ((event: Event) => unknown) | null {
    return this.#onquotaoverflow.value;
  }

  set onquotaoverflow(handler: unknown) {
    this.#onquotaoverflow.value = handler;
  }

  get topK(): number {
    return this.#setup.wanted.sampling.topK;
  }

  get temperature(): number {
    return this.#setup.wanted.sampling.temperature;
  }

  get samplingMode(): LanguageModelSamplingMode | null {
    return this.#setup.wanted.sampling.mode;
  }

  /** Goes on from what has been said so far; what is still being answered is not part of it. */
  async clone(given?: unknown): Promise<Session> {
    const signal = abortSignal(dictionary(given, "options")["signal"], "options.signal");
    return this.#work.within([signal], async (signal) => {
      // As the draft has it: in a task of its own, which an abort prevents.
      await new Promise((resolve) => setTimeout(resolve, 0));
      signal.throwIfAborted();
      const { backing, wanted, contextWindow } = this.#setup;
      const own = this.constructor as new (setup: Setup) => Session;
      return new own(new Setup(backing, wanted, contextWindow, this.#conversation, this.#contextUsage));
    });
  }

  destroy(): undefined {
    this.#work.end(new DOMException("the session was destroyed", "AbortError"));
  }

  /** Destroys a session when a signal is aborted, with the signal's reason. */
  static endWith(session: Session, signal: AbortSignal): void {
    const destroy = (): void => {
      session.#work.end(signal.reason);
    };
    signal.addEventListener("abort", destroy, { once: true });
    session.#work.ended.addEventListener("abort", () => {
      signal.removeEventListener("abort", destroy);
    });
  }

  async #answer(
    asked: Asked,
    signals: Signals,
    onPart: (part: LanguageModelMessageContent) => void,
  ): Promise<void> {
    return this.#work.inOrder(signals, async (behind, signal) => {
      const { tools, sampling } = this.#setup.wanted;
      const conversation = await take({
        behind,
        conversation: this.#conversation,
        said: told(this.#said(asked.input), asked),
        constraint: asked.constraint,
        thinking: asked.thinking,
        tools,
        sampling,
        onPart: (part) => {
          if (!signal.aborted) onPart(part);
        },
        onRoom: (room) => {
          this.#cut(room);
        },
        signal,
      });
      const contextUsage = await behind.count(conversation.messages, tools);
      signal.throwIfAborted();
      this.#conversation = conversation;
      this.#contextUsage = contextUsage;
    });
  }

  /** A prompt that may follow what has been said so far. */
  #said(input: readonly GivenMessage[]): Said {
    return canonical(input, this.#setup.wanted.inputs.types, this.#conversation.isEmpty);
  }

  /** What had to go is gone, whatever becomes of what it had to go for. */
  #cut({ conversation, left }: Room): void {
    if (left === null) return;
    this.#conversation = conversation;
    this.#contextUsage = left;
    for (const type of ["contextoverflow", "quotaoverflow"]) this.dispatchEvent(new Event(type));
  }
}

/** Where nothing goes on from a prefix it is a message like any other. */
export function whole({ messages, prefix }: Said): Said["messages"] {
  return prefix === "" ? messages : [...messages, { role: "assistant", content: prefix }];
}
