// The drawer of settings, and what of them is remembered.

import type { Model } from "../../src/index.js";
import { deviceRows } from "./device.js";
import { button, h } from "./dom.js";
import { bytes } from "./format.js";

/** How the model is asked. */
export interface Settings {
  temperature: number;
  topP: number;
  maxTokens: number;
  systemPrompt: string;
}

const DEFAULTS: Settings = { temperature: 0.3, topP: 0.9, maxTokens: 512, systemPrompt: "" };
const STORE = "puna.settings";

/** The drawer. */
export class SettingsDrawer {
  readonly #dialog: HTMLDialogElement;
  readonly #about = h("dl", { class: "about" });
  readonly #modelPart: HTMLElement;
  readonly #controls: { temperature: HTMLInputElement; topP: HTMLInputElement; maxTokens: HTMLInputElement };
  readonly #systemPrompt = h("textarea", { id: "system-prompt", rows: 4, placeholder: "The model’s own" });
  /** What they are where the person chose nothing. */
  #defaults = DEFAULTS;
  #settings = recalled(DEFAULTS);

  constructor(onOtherModel: () => void) {
    this.#controls = {
      temperature: h("input", { id: "temperature", type: "range", min: 0, max: 2, step: 0.05 }),
      topP: h("input", { id: "top-p", type: "range", min: 0.05, max: 1, step: 0.05 }),
      maxTokens: h("input", {
        id: "max-tokens",
        type: "number",
        min: 1,
        max: 1048576,
        step: 1,
        inputmode: "numeric",
      }),
    };
    const { temperature, topP, maxTokens } = this.#controls;
    this.#modelPart = h(
      "section",
      { hidden: true },
      h("h3", {}, "Model"),
      this.#about,
      button("Load another model", () => {
        this.#dialog.close();
        onOtherModel();
      }),
    );
    this.#dialog = h(
      "dialog",
      { class: "drawer", "aria-labelledby": "settings-title" },
      h(
        "form",
        { method: "dialog" },
        h(
          "header",
          {},
          h("h2", { id: "settings-title" }, "Settings"),
          h("button", { type: "submit", class: "close", "aria-label": "Close" }, "✕"),
        ),
        field(
          "Temperature",
          temperature,
          "0 always takes the likeliest token; higher is livelier, and wilder",
        ),
        field("Top p", topP, "Takes only from the likeliest tokens that make up this much"),
        field("Longest answer, in tokens", maxTokens),
        field("System prompt", this.#systemPrompt, "From the next message on"),
        button("Reset to defaults", () => {
          this.#set(this.#defaults);
        }),
        this.#modelPart,
      ),
    );
    this.#dialog.addEventListener("input", () => {
      this.#set(this.#read());
    });
    this.#dialog.addEventListener("click", (event) => {
      // The backdrop is the dialog itself; all that is drawn is inside its form.
      if (event.target === this.#dialog) this.#dialog.close();
    });
    document.body.append(this.#dialog);
    this.#set(this.#settings);
  }

  /** As they are now. */
  get settings(): Settings {
    return this.#settings;
  }

  /** A system prompt that suits the model of the address, where the person has written none. */
  suggest(systemPrompt: string): void {
    this.#defaults = { ...DEFAULTS, systemPrompt };
    this.#set(recalled(this.#defaults));
  }

  /** Whether it is on the screen. */
  get isOpen(): boolean {
    return this.#dialog.open;
  }

  /** Opens it. */
  open(): void {
    this.#set(this.#settings);
    this.#dialog.showModal();
  }

  /** Tells about the model, or about none. */
  describe(model: Model | null): void {
    this.#modelPart.hidden = model === null;
    this.#about.replaceChildren();
    if (model === null) return;
    const { info, device } = model;
    const rows: [string, string][] = [
      ["Name", info.name],
      ["Architecture", info.architecture],
      ["Size", bytes(info.fileBytes)],
      ["Context", `${info.contextLength.toLocaleString("en")} tokens`],
      ...deviceRows(device),
    ];
    for (const [term, value] of rows) this.#about.append(h("dt", {}, term), h("dd", {}, value));
  }

  #read(): Settings {
    const { temperature, topP, maxTokens } = this.#controls;
    return {
      temperature: temperature.valueAsNumber,
      topP: topP.valueAsNumber,
      // While it is being typed it may be empty or nothing sensible: then what was stays.
      maxTokens:
        maxTokens.checkValidity() && maxTokens.value !== ""
          ? maxTokens.valueAsNumber
          : this.#settings.maxTokens,
      systemPrompt: this.#systemPrompt.value,
    };
  }

  #set(settings: Settings): void {
    this.#settings = settings;
    const { temperature, topP, maxTokens } = this.#controls;
    temperature.value = String(settings.temperature);
    topP.value = String(settings.topP);
    if (document.activeElement !== maxTokens) maxTokens.value = String(settings.maxTokens);
    if (this.#systemPrompt.value !== settings.systemPrompt) this.#systemPrompt.value = settings.systemPrompt;
    for (const output of this.#dialog.querySelectorAll("output")) {
      const control = document.getElementById(output.htmlFor.value);
      if (control instanceof HTMLInputElement) output.value = control.valueAsNumber.toFixed(2);
    }
    remember(settings, this.#defaults);
  }
}

function field(label: string, control: HTMLInputElement | HTMLTextAreaElement, hint = ""): HTMLElement {
  const isRange = control.type === "range";
  if (hint !== "") control.setAttribute("aria-describedby", `${control.id}-hint`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: control.id }, label),
    isRange ? h("output", { for: control.id }) : null,
    control,
    hint === "" ? null : h("p", { id: `${control.id}-hint`, class: "hint" }, hint),
  );
}

/** What was remembered, as far as it makes sense: anybody may have written it. */
function recalled(defaults: Settings): Settings {
  const settings = { ...defaults };
  try {
    const stored = JSON.parse(localStorage.getItem(STORE) ?? "{}") as Record<string, unknown>;
    const number = (name: string, least: number, most: number, otherwise: number): number => {
      const value = stored[name];
      return typeof value === "number" && value >= least && value <= most ? value : otherwise;
    };
    settings.temperature = number("temperature", 0, 2, settings.temperature);
    settings.topP = number("topP", 0.05, 1, settings.topP);
    settings.maxTokens = Math.round(number("maxTokens", 1, 1_048_576, settings.maxTokens));
    const { systemPrompt } = stored;
    if (typeof systemPrompt === "string") settings.systemPrompt = systemPrompt;
  } catch {
    // No storage here, or nonsense in it.
  }
  return settings;
}

function remember(settings: Settings, defaults: Settings): void {
  // What was suggested for one model is not the person's choice for the next.
  const { systemPrompt, ...others } = settings;
  const chosen = systemPrompt === defaults.systemPrompt ? others : settings;
  try {
    localStorage.setItem(STORE, JSON.stringify(chosen));
  } catch {
    // Private windows may refuse: then they last as long as the page.
  }
}
