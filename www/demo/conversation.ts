// One conversation with one model: what was said, and the answer that is being made.

import type {
  ChatCompletionMessageParam,
  ChatCompletionCreateParamsStreaming,
  CompletionUsage,
  ChatFinishReason,
  Model,
} from "../src/index.js";
import { byId, button } from "./view/dom.js";
import { codeOf, errorCard } from "./view/explain.js";
import { AnswerView, userMessage } from "./view/message.js";
import type { Settings } from "./view/settings.js";
import { welcome } from "./view/welcome.js";

/** What the page does on the conversation's behalf. */
export interface Surroundings {
  settings: () => Settings;
  onBusy: (isBusy: boolean) => void;
  onNewChat: () => void;
  onReload: () => void;
}

/** How near to the end counts as reading along, in CSS pixels. */
const NEAR_PX = 80;

/** A conversation on the page. */
export class Conversation {
  readonly #model: Model;
  readonly #around: Surroundings;
  readonly #log = byId("log", HTMLElement);
  readonly #welcome = byId("welcome", HTMLElement);
  readonly #scroller = byId("main", HTMLElement);
  #history: ChatCompletionMessageParam[] = [];
  #abort: AbortController | null = null;
  #isOver = false;

  constructor(model: Model, around: Surroundings) {
    this.#model = model;
    this.#around = around;
    this.#log.replaceChildren();
    this.#welcome.replaceChildren(
      welcome((text) => {
        void this.ask(text);
      }),
    );
  }

  /** Whether an answer is being made. */
  get isBusy(): boolean {
    return this.#abort !== null;
  }

  /** Says something and shows the answer. */
  async ask(text: string): Promise<void> {
    if (this.isBusy) return;
    this.#welcome.replaceChildren();
    this.#history.push({ role: "user", content: text });
    this.#log.append(userMessage(text));
    await this.#answer();
  }

  /** Ends the answer that is being made; what there is of it stays. */
  stop(): void {
    this.#abort?.abort();
  }

  /** Ends it for good: it touches the page no more. */
  end(): void {
    this.#isOver = true;
    this.stop();
  }

  async #answer(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.#around.onBusy(true);
    const view = new AnswerView();
    this.#log.append(view.element);
    this.#scroll(true);
    let usage: CompletionUsage | null = null;
    let reason: ChatFinishReason | null = null;
    try {
      const stream = await this.#model.chat.completions.create(this.#request(), { signal: abort.signal });
      for await (const chunk of stream) {
        const isNear = this.#isNear();
        const choice = chunk.choices[0];
        view.think(choice?.delta.reasoning_content ?? "");
        view.add(choice?.delta.content ?? "");
        reason = choice?.finish_reason ?? reason;
        usage = chunk.usage ?? usage;
        if (isNear)
          requestAnimationFrame(() => {
            this.#scroll(false);
          });
      }
      view.end(reason === "length" ? reason : "stop", usage);
    } catch (error) {
      const isStopped = codeOf(error) === "aborted";
      view.end(isStopped ? "stopped" : "failed", usage);
      if (!isStopped && !this.#isOver) this.#showError(error, view);
    } finally {
      if (view.text !== "") this.#history.push({ role: "assistant", content: view.text });
      this.#abort = null;
      if (!this.#isOver) {
        this.#around.onBusy(false);
        this.#scroll(false);
      }
    }
  }

  #request(): ChatCompletionCreateParamsStreaming {
    const { temperature, topP, maxTokens, systemPrompt } = this.#around.settings();
    const system: ChatCompletionMessageParam[] =
      systemPrompt.trim() === "" ? [] : [{ role: "system", content: systemPrompt }];
    return {
      messages: [...system, ...this.#history],
      temperature,
      top_p: topP,
      max_completion_tokens: maxTokens,
      stream: true,
      stream_options: { include_usage: true },
    };
  }

  #showError(error: unknown, view: AnswerView): void {
    const code = codeOf(error);
    const again = button("Try again", () => {
      if (this.isBusy) return;
      card.remove();
      if (view.text === "") view.element.remove();
      void this.#answer();
    });
    // Where the worker died or the device is lost, the next request loads the model by itself.
    const action =
      code === "out_of_memory"
        ? button("Load the model again", this.#around.onReload, "primary")
        : code === "context_length_exceeded"
          ? button("New chat", this.#around.onNewChat, "primary")
          : again;
    const card = errorCard(error, action);
    this.#log.append(card);
  }

  #isNear(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  /** To the end, if somebody reads there or `always`. */
  #scroll(always: boolean): void {
    if (always || this.#isNear()) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}
