// What an empty conversation shows: a few things to say, within a small model's reach.

import { button, h } from "./dom.js";

const SUGGESTIONS = [
  "What is a llama, and where does it live?",
  "Write a short poem about the mountains at dawn.",
  "Give me three ideas for a rainy Sunday.",
] as const;

/** The suggestions; `onChoice` gets the one that was chosen. */
export function welcome(onChoice: (text: string) => void): HTMLElement {
  return h(
    "div",
    { class: "welcome" },
    h("img", { src: "./icon.svg", alt: "", width: 56, height: 56 }),
    h("p", {}, "Say something, or begin with one of these:"),
    h(
      "ul",
      {},
      ...SUGGESTIONS.map((text) =>
        h(
          "li",
          {},
          button(text, () => {
            onChoice(text);
          }),
        ),
      ),
    ),
  );
}
