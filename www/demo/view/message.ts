// Messages of the conversation on the page.

import type { CompletionUsage } from "../../src/index.js";
import { h } from "./dom.js";
import { counted, rate } from "./format.js";
import { Prose } from "./prose.js";

/** What the person said. */
export function userMessage(text: string): HTMLElement {
  return h("article", { class: "message user" }, h("h2", { class: "sr" }, "You"), h("p", {}, text));
}

/** How an answer ended. */
export type Ending = "stop" | "length" | "stopped" | "failed";

/** An answer: it grows, then tells what it took. */
export class AnswerView {
  readonly element: HTMLElement;
  /** What has been said so far. */
  text = "";
  readonly #body = h("div", { class: "prose" });
  readonly #thoughts = h("p", {});
  readonly #thinking = h("details", { class: "thinking" }, h("summary", {}, "Thoughts"), this.#thoughts);
  readonly #stats = h("p", { class: "stats" });
  readonly #prose = new Prose(this.#body);
  readonly #askedMs = performance.now();
  #firstMs = 0;
  #lastMs = 0;
  #pieces = 0;
  #frame = 0;

  constructor() {
    const waiting = h("p", { class: "waiting" }, h("span", { class: "sr" }, "The model is reading"));
    for (let dot = 0; dot < 3; dot++) waiting.append(h("span", { class: "dot" }));
    this.#body.append(waiting);
    // A screen reader is told of the whole answer once, not of every word.
    this.element = h(
      "article",
      { class: "message answer", "aria-busy": "true" },
      h("h2", { class: "sr" }, "The model"),
      this.#body,
      this.#stats,
    );
  }

  /** Adds to what the model thinks before it answers, which is shown to who asks for it. */
  think(text: string): void {
    if (text === "") return;
    if (!this.#thinking.isConnected) this.#body.before(this.#thinking);
    this.#thoughts.append(text);
  }

  /** Adds text; it is shown with the next frame. */
  add(text: string): void {
    if (text === "") return;
    this.#lastMs = performance.now();
    if (this.#pieces++ === 0) {
      this.#firstMs = this.#lastMs;
      this.#body.replaceChildren();
    }
    this.text += text;
    if (this.#frame === 0) {
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0;
        this.#prose.show(this.text);
        this.#stats.textContent = this.#speed(this.#pieces);
      });
    }
  }

  /** Shows how it ended. */
  end(ending: Ending, usage: CompletionUsage | null): void {
    cancelAnimationFrame(this.#frame);
    if (this.#pieces === 0) this.#body.replaceChildren();
    this.#prose.show(this.text);
    this.element.removeAttribute("aria-busy");
    const tokens = usage?.completion_tokens ?? this.#pieces;
    const facts = [
      this.#speed(tokens),
      tokens > 0 ? counted(tokens, "token") : "",
      usage === null ? "" : `${counted(usage.prompt_tokens, "token")} read`,
      this.#pieces > 0 ? `first after ${((this.#firstMs - this.#askedMs) / 1000).toFixed(2)} s` : "",
      { stop: "", length: "cut at the longest answer allowed", stopped: "stopped", failed: "" }[ending],
    ].filter((fact) => fact !== "");
    this.#stats.replaceChildren(...facts.map((fact) => h("span", {}, fact)));
    if (this.text === "" && ending === "stop")
      this.#body.append(h("p", { class: "silent" }, "The model said nothing."));
  }

  /** Decoding alone: the first token is the prompt's. */
  #speed(tokens: number): string {
    const seconds = (this.#lastMs - this.#firstMs) / 1000;
    return tokens > 1 && seconds > 0 ? `${rate((tokens - 1) / seconds)} tokens/s` : "";
  }
}
