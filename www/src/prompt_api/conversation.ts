// What a session has said and heard, and what of it goes first where there is no room.

import type { ChatCompletionMessageParam } from "../types/openai.js";

/** A conversation. It does not change: what is added to it, or dropped, makes another. */
export class Conversation {
  /** Never dropped: what the session was created with, and what the system says. */
  readonly #pinned: readonly ChatCompletionMessageParam[];
  /** Each begins with what the user says, and has what follows from that: calls of tools, their results, the answer. */
  readonly #exchanges: readonly (readonly ChatCompletionMessageParam[])[];

  constructor(
    pinned: readonly ChatCompletionMessageParam[] = [],
    exchanges: readonly (readonly ChatCompletionMessageParam[])[] = [],
  ) {
    this.#pinned = pinned;
    this.#exchanges = exchanges;
  }

  /** All of it. */
  get messages(): ChatCompletionMessageParam[] {
    return [...this.#pinned, ...this.#exchanges.flat()];
  }

  /** Whether nobody has said anything yet. */
  get isEmpty(): boolean {
    return this.#pinned.length === 0 && this.#exchanges.length === 0;
  }

  /** How many exchanges can be dropped. */
  get exchanges(): number {
    return this.#exchanges.length;
  }

  /** With messages at its end. */
  with(messages: readonly ChatCompletionMessageParam[]): Conversation {
    const pinned = [...this.#pinned];
    const exchanges = this.#exchanges.map((exchange) => [...exchange]);
    for (const message of messages) {
      const last = exchanges.at(-1);
      if (message.role === "system") pinned.push(message);
      else if (message.role === "user" || last === undefined) exchanges.push([message]);
      else last.push(message);
    }
    return new Conversation(pinned, exchanges);
  }

  /** Without what was thought in it. */
  withoutThoughts(): Conversation {
    const exchanges = this.#exchanges.map((exchange) =>
      exchange.map((message) => {
        if (!("reasoning_content" in message)) return message;
        const said = { ...message };
        delete said.reasoning_content;
        return said;
      }),
    );
    return new Conversation(this.#pinned, exchanges);
  }

  /** Without so many of the oldest exchanges. */
  withoutOldest(count: number): Conversation {
    return new Conversation(this.#pinned, this.#exchanges.slice(count));
  }
}
