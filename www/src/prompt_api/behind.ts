// The loaded model that answers.

import type { Model } from "../engine.js";
import { PunaError } from "../index.js";
import type { ChatCompletionMessageParam } from "../types/openai.js";
import { quotaExceeded } from "./errors.js";
import type { Conversation } from "./conversation.js";
import { type Template, fitting, templateOf } from "./template.js";
import type { Tools } from "./tools.js";

/** What is used of a model. */
export type ChatModel = Pick<Model, "info" | "chat" | "session" | "countTokens" | "ended" | "unload">;

/** Most tokens that are kept free for an answer. */
const MOST_FOR_ANSWER = 1024;

/** A conversation that there is room for. */
export interface Room {
  conversation: Conversation;
  /** Tokens of it, with what was to be added. */
  usage: number;
  /** Tokens of what is left, where something had to go. */
  left: number | null;
}

/** A model, and what of it a session has to know. */
export class Behind {
  readonly model: ChatModel;
  /** Tokens that prompts may take. An answer finds room behind a prompt that takes all of them. */
  readonly contextWindow: number;
  readonly #template: Template;
  #end: PunaError | null = null;

  constructor(model: ChatModel, template: Template) {
    const { contextLength } = model.info;
    this.model = model;
    void model.ended.then((error) => {
      this.#end = error;
    });
    this.contextWindow = contextLength - Math.min(MOST_FOR_ANSWER, Math.floor(contextLength / 8));
    this.#template = template;
  }

  /** What is behind a model; rejects where it is none for chats. */
  static async of(model: ChatModel): Promise<Behind> {
    return new Behind(model, await templateOf((messages) => model.countTokens({ messages })));
  }

  /** What the model can't be asked any more for, if it is so. */
  get end(): PunaError | null {
    return this.#end;
  }

  /** Messages as the model's template takes them. */
  fitting(messages: readonly ChatCompletionMessageParam[]): ChatCompletionMessageParam[] {
    return fitting(messages, this.#template);
  }

  /** Tokens of a conversation to be answered, with what is said of tools. */
  async count(messages: readonly ChatCompletionMessageParam[], { declared }: Tools): Promise<number> {
    if (messages.length > 0) return this.#count(messages, declared);
    if (declared === undefined) return 0;
    const probe: ChatCompletionMessageParam[] = [{ role: "user", content: "a" }];
    return (await this.#count(probe, declared)) - (await this.#count(probe, undefined));
  }

  /** Tokens of messages alone. */
  measure(messages: readonly ChatCompletionMessageParam[]): Promise<number> {
    return this.#count(messages, undefined);
  }

  /** Reads the beginning of a conversation, so that its next answer begins sooner. */
  async read(
    messages: readonly ChatCompletionMessageParam[],
    { declared }: Tools,
    signal: AbortSignal,
  ): Promise<void> {
    const beginning = { messages: this.fitting(messages), ...(declared && { tools: declared }) };
    try {
      await this.model.session(beginning, { signal });
    } catch (error) {
      // Some have no tokens before they are to be answered, such as an empty text without any marks: there is nothing to read.
      const isEmpty = error instanceof PunaError && error.details["param"] === "session";
      if (!isEmpty) throw error;
    }
  }

  /**
   * A conversation without as few of its oldest exchanges as have to go, so that `added` finds room. Where that is not
   * enough it rejects, and nothing went.
   */
  async roomFor(
    conversation: Conversation,
    added: readonly ChatCompletionMessageParam[],
    tools: Tools,
  ): Promise<Room> {
    const usageWithout = (dropped: number): Promise<number> =>
      this.count(conversation.withoutOldest(dropped).with(added).messages, tools);
    const whole = await usageWithout(0);
    if (whole <= this.contextWindow) return { conversation, usage: whole, left: null };
    let [enough, tooFew] = [conversation.exchanges, 0];
    let usage = await usageWithout(enough);
    if (usage > this.contextWindow) throw quotaExceeded(usage, this.contextWindow);
    while (enough - tooFew > 1) {
      const middle = (enough + tooFew) >> 1;
      const tokens = await usageWithout(middle);
      if (tokens > this.contextWindow) tooFew = middle;
      else [enough, usage] = [middle, tokens];
    }
    const rest = conversation.withoutOldest(enough);
    return { conversation: rest, usage, left: await this.count(rest.messages, tools) };
  }

  #count(messages: readonly ChatCompletionMessageParam[], tools: Tools["declared"]): Promise<number> {
    return this.model.countTokens({ messages: this.fitting(messages), ...(tools && { tools }) });
  }
}
