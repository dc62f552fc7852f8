// The ways to name a model: an address, a file, a file dropped on the page.

import { byId, h } from "./dom.js";

/** The form; `onChoice` gets an address as it was typed, or a file. */
export function startForm(address: string, onChoice: (source: string | File) => void): HTMLElement {
  const url = h("input", {
    id: "model-url",
    type: "text",
    inputmode: "url",
    value: address,
    placeholder: "https://…/model.gguf",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
    "aria-describedby": "model-hint",
  });
  const file = h("input", { id: "model-file", class: "sr", type: "file", accept: ".gguf" });
  const form = h(
    "form",
    { class: "card choose" },
    h("label", { for: "model-url" }, "Address of a model"),
    h("div", { class: "row" }, url, h("button", { type: "submit", class: "primary" }, "Load")),
    h(
      "p",
      { class: "hint", id: "model-hint" },
      "A GGUF file or the manifest of a sharded one; its host must let other sites read it (CORS).",
    ),
    h(
      "p",
      { class: "or" },
      file,
      h("label", { class: "button", for: "model-file" }, "Choose a .gguf file"),
      " or drop one here",
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (url.value.trim() !== "") onChoice(url.value.trim());
  });
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    if (chosen !== undefined) onChoice(chosen);
  });
  return form;
}

/** Takes files that are dropped anywhere on the page. */
export function takeDrops(onFile: (file: File) => void): void {
  const target = byId("drop", HTMLElement);
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  document.addEventListener("dragenter", (event) => {
    if (hasFiles(event)) target.hidden = false;
  });
  document.addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  document.addEventListener("dragleave", (event) => {
    // Only when the window is left: the page's own elements are entered and left all the time.
    if (event.relatedTarget === null) target.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    target.hidden = true;
    const file = event.dataTransfer?.files[0];
    if (file === undefined) return;
    event.preventDefault();
    onFile(file);
  });
}
