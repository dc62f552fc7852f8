// The models that this browser keeps: one click away, also without a network.

import { type StoredModel, listModels, removeModel } from "../../src/index.js";
import { button, h } from "./dom.js";
import { errorCard } from "./explain.js";
import { bytes, nameOf } from "./format.js";

/** The list; it stays hidden while there is nothing to show. `onChoice` gets a model's address. */
export function storedModels(onChoice: (url: string) => void): HTMLElement {
  const list = h("ul", { class: "stored" });
  const card = h("section", { class: "card", hidden: true }, h("h2", {}, "Kept in this browser"), list);
  const row = (model: StoredModel): HTMLElement => {
    const { url } = model;
    const name = nameOf(url);
    const remove = button("Remove", () => {
      remove.disabled = true;
      removeModel(url).then(
        () => {
          item.remove();
          card.hidden = list.childElementCount === 0;
        },
        (error: unknown) => {
          remove.disabled = false;
          card.append(errorCard(error));
        },
      );
    });
    remove.setAttribute("aria-label", `Remove ${name}`);
    const choose = button(name, () => {
      onChoice(url);
    });
    choose.title = url;
    const item = h("li", {}, choose, h("span", { class: "hint" }, amountOf(model)), remove);
    return item;
  };
  listModels().then(
    (models) => {
      list.replaceChildren(...models.map(row));
      card.hidden = models.length === 0;
    },
    // A browser that keeps nothing, or does not say: the form above is enough.
    () => undefined,
  );
  return card;
}

function amountOf({ fileBytes, storedBytes, isComplete }: StoredModel): string {
  return isComplete ? bytes(fileBytes) : `${bytes(storedBytes)} of ${bytes(fileBytes)}`;
}
