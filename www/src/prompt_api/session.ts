// A session: the state of one conversation, and what it is asked, one after the other.

import { assertActive } from "./active.js";
import type { Backing } from "./backing.js";
import type { Behind } from "./behind.js";
import { type Constraint, readConstraint } from "./constraint.js";
import type { Conversation } from "./conversation.js";
import { inWordsOfTheDraft } from "./errors.js";
import type { Expected } from "./expected.js";
import { HandlerAttribute } from "./handler.js";
import { type GivenMessage, type Said, canonical, readPrompt } from "./messages.js";
import { Order } from "./order.js";
import type { Sampling } from "./sampling.js";
import { Scope, untilAborted } from "./scope.js";
import type { Tools } from "./tools.js";
import { instructed, take } from "./turn.js";
import type {
  LanguageModelMessageContent,
  LanguageModelPromptResult,
  LanguageModelSamplingMode,
} from "./types.js";
import { abortSignal, dictionary } from "./webidl.js";

/** What a session is made of. Nobody outside has one, so that nobody calls the constructor. */
export class Setup {
  constructor(
    readonly backing: Backing,
    readonly inputs: Expected,
    readonly tools: Tools,
    readonly sampling: Sampling,
    readonly contextWindow: number,
    readonly conversation: Conversation,
    readonly contextUsage: number,
  ) {}
}

/** What is asked of an answer, as it was read. */
interface Asked {
  input: GivenMessage[];
  constraint: Constraint | null;
  isTold: boolean;
  signal: AbortSignal | null;
}

/** The draft's `LanguageModel`, but for what is static. */
export class Session extends EventTarget {
  readonly [Symbol.toStringTag] = "LanguageModel";
  readonly #setup: Setup;
  readonly #order = new Order();
  readonly #destruction = new AbortController();
  readonly #oncontextoverflow = new HandlerAttribute<Event>(this, "contextoverflow");
  readonly #onquotaoverflow = new HandlerAttribute<Event>(this, "quotaoverflow");
  #conversation: Conversation;
  #contextUsage: number;

  constructor(setup?: Setup) {
    super();
    if (!(setup instanceof Setup)) throw new TypeError("Illegal constructor: call LanguageModel.create()");
    this.#setup = setup;
    this.#conversation = setup.conversation;
    this.#contextUsage = setup.contextUsage;
    setup.backing.retain();
  }

  async prompt(...given: [input: unknown, options?: unknown]): Promise<LanguageModelPromptResult> {
    const asked = readAsked(given);
    const parts: LanguageModelMessageContent[] = [];
    let text = "";
    await this.#answer(asked, [asked.signal], (part) => {
      if (typeof part.value === "string") text += part.value;
      else parts.push(part);
    });
    if (parts.length === 0) return text;
    return text === "" ? parts : [{ type: "text", value: text }, ...parts];
  }

  promptStreaming(
    ...given: [input: unknown, options?: unknown]
  ): ReadableStream<string | LanguageModelMessageContent> {
    const asked = readAsked(given);
    assertActive();
    asked.signal?.throwIfAborted();
    this.#destruction.signal.throwIfAborted();
    const cancelled = new AbortController();
    return new ReadableStream({
      start: (controller) => {
        const answered = this.#answer(asked, [asked.signal, cancelled.signal], (part) => {
          controller.enqueue(part.type === "text" ? (part.value as string) : part);
        });
        answered.then(
          () => {
            controller.close();
          },
          (error: unknown) => {
            // Who cancelled it hears nothing more.
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
    const { input, signal } = readAsked(given);
    return this.#inOrder([signal], async (behind, signal) => {
      const { messages, prefix } = this.#said(input);
      if (prefix !== "") messages.push({ role: "assistant", content: prefix });
      const { tools } = this.#setup;
      const room = await behind.roomFor(this.#conversation, messages, tools);
      signal.throwIfAborted();
      if (room.isCut) this.#cut(room.conversation);
      const conversation = room.conversation.with(messages);
      await behind.read(conversation.messages, tools, signal);
      signal.throwIfAborted();
      this.#conversation = conversation;
      this.#contextUsage = room.usage;
      return undefined;
    });
  }

  async measureContextUsage(...given: [input: unknown, options?: unknown]): Promise<number> {
    const { input, constraint, isTold, signal } = readAsked(given);
    return this.#withModel([signal], async (behind) => {
      const said = canonical(input, this.#setup.inputs.types, true);
      const { messages, prefix } = constraint !== null && isTold ? instructed(said, constraint) : said;
      if (prefix !== "") messages.push({ role: "assistant", content: prefix });
      return behind.measure(messages);
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
    return this.#setup.sampling.topK;
  }

  get temperature(): number {
    return this.#setup.sampling.temperature;
  }

  get samplingMode(): LanguageModelSamplingMode | null {
    return this.#setup.sampling.mode;
  }

  /** Goes on from what has been said so far; what is still being answered is not part of it. */
  async clone(given?: unknown): Promise<Session> {
    const signal = abortSignal(dictionary(given, "options")["signal"], "options.signal");
    return this.#within([signal], async (signal) => {
      const { backing, inputs, tools, sampling, contextWindow } = this.#setup;
      // As the draft has it: in a task of its own, which an abort prevents.
      await new Promise((resolve) => setTimeout(resolve, 0));
      signal.throwIfAborted();
      const state = [this.#conversation, this.#contextUsage] as const;
      const own = this.constructor as new (setup: Setup) => Session;
      return new own(new Setup(backing, inputs, tools, sampling, contextWindow, ...state));
    });
  }

  destroy(): undefined {
    this.#destroy(new DOMException("the session was destroyed", "AbortError"));
  }

  /** Destroys a session when a signal is aborted, with the signal's reason. */
  static endWith(session: Session, signal: AbortSignal): void {
    const destroy = (): void => {
      session.#destroy(signal.reason);
    };
    signal.addEventListener("abort", destroy, { once: true });
    session.#destruction.signal.addEventListener("abort", () => {
      signal.removeEventListener("abort", destroy);
    });
  }

  #destroy(reason: unknown): void {
    if (this.#destruction.signal.aborted) return;
    this.#destruction.abort(reason);
    this.#setup.backing.release();
  }

  async #answer(
    { input, constraint, isTold }: Asked,
    signals: readonly (AbortSignal | null)[],
    onPart: (part: LanguageModelMessageContent) => void,
  ): Promise<void> {
    return this.#inOrder(signals, async (behind, signal) => {
      const { tools, sampling } = this.#setup;
      const said = this.#said(input);
      const conversation = await take({
        behind,
        conversation: this.#conversation,
        said: constraint !== null && isTold ? instructed(said, constraint) : said,
        constraint,
        tools,
        sampling,
        onPart: (part) => {
          if (!signal.aborted) onPart(part);
        },
        onRoom: (room) => {
          if (room.isCut) this.#cut(room.conversation);
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
    return canonical(input, this.#setup.inputs.types, this.#conversation.isEmpty);
  }

  /** What had to go is gone, whatever becomes of what it had to go for. */
  #cut(conversation: Conversation): void {
    this.#conversation = conversation;
    for (const type of ["contextoverflow", "quotaoverflow"]) this.dispatchEvent(new Event(type));
  }

  #inOrder<Result>(
    signals: readonly (AbortSignal | null)[],
    work: (behind: Behind, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    return this.#within(signals, (signal) => this.#order.run(signal, () => this.#withBehind(signal, work)));
  }

  #withModel<Result>(
    signals: readonly (AbortSignal | null)[],
    work: (behind: Behind) => Promise<Result>,
  ): Promise<Result> {
    return this.#within(signals, (signal) => untilAborted(this.#withBehind(signal, work), signal));
  }

  async #withBehind<Result>(
    signal: AbortSignal,
    work: (behind: Behind, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const { backing } = this.#setup;
    const behind = await backing.ready(signal);
    try {
      return await work(behind, signal);
    } catch (error) {
      backing.failed(behind, error);
      throw error;
    }
  }

  /** Does some work until one of the signals is aborted, or the session destroyed: then it rejects with their reason. */
  async #within<Result>(
    signals: readonly (AbortSignal | null)[],
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    assertActive();
    const scope = new Scope([this.#destruction.signal, ...signals]);
    try {
      scope.signal.throwIfAborted();
      return await work(scope.signal);
    } catch (error) {
      if (scope.signal.aborted) throw scope.signal.reason;
      throw inWordsOfTheDraft(error, "prompt");
    } finally {
      scope.release();
    }
  }
}

/** Reads the arguments of `prompt` and of what is like it. */
function readAsked(given: [input: unknown, options?: unknown]): Asked {
  if ((given.length as number) === 0) throw new TypeError("input: missing");
  const [input, options] = given;
  const members = dictionary(options, "options");
  const constraint = readConstraint(members["responseConstraint"]);
  const isOmitted = Boolean(members["omitResponseConstraintInput"]);
  if (isOmitted && constraint === null) {
    throw new TypeError("omitResponseConstraintInput: of no use without responseConstraint");
  }
  return {
    input: readPrompt(input),
    constraint,
    isTold: !isOmitted,
    signal: abortSignal(members["signal"], "options.signal"),
  };
}
