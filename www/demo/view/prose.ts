// A growing text on the page: blocks that did not change keep their nodes, so that a selection in them stays
// and a long answer does not get slow.

import { h } from "./dom.js";
import { type Block, type Run, blocksOf } from "./markdown.js";

/** Shows Markdown in an element. */
export class Prose {
  readonly #element: HTMLElement;
  #shown: string[] = [];

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  /** Shows this text in place of what is shown. */
  show(text: string): void {
    const blocks = blocksOf(text);
    blocks.forEach((block, ix) => {
      const key = JSON.stringify(block);
      if (this.#shown[ix] === key) return;
      const node = nodeOf(block);
      const old = this.#element.children[ix];
      if (old === undefined) this.#element.append(node);
      else old.replaceWith(node);
      this.#shown[ix] = key;
    });
    while (this.#element.children.length > blocks.length) this.#element.lastElementChild?.remove();
    this.#shown.length = blocks.length;
  }
}

const HEADINGS = ["h3", "h4", "h5", "h6"] as const;

function nodeOf(block: Block): HTMLElement {
  switch (block.kind) {
    case "paragraph":
      return h("p", {}, ...block.runs.map(runNode));
    case "heading":
      return h(HEADINGS[block.level - 1] ?? "h6", {}, ...block.runs.map(runNode));
    case "code":
      // Focusable, for a keyboard must be able to scroll it sideways.
      return h(
        "pre",
        { tabindex: 0, "data-language": block.language === "" ? null : block.language },
        h("code", {}, block.text),
      );
    case "list":
      return h(
        block.isOrdered ? "ol" : "ul",
        block.isOrdered && block.start !== 1 ? { start: block.start } : {},
        ...block.items.map((runs) => h("li", {}, ...runs.map(runNode))),
      );
  }
}

function runNode({ kind, text }: Run): Node | string {
  return kind === "text" ? text : h(kind, {}, text);
}
