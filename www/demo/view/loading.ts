// A load as it goes: how much, how fast, where from, how long still.

import type { ProgressEvent } from "../../src/index.js";
import { announce, button, h } from "./dom.js";
import { bytes, duration, nameOf } from "./format.js";

/** The speed is that of the last seconds: a stall should show. */
const WINDOW_MS = 3000;

interface Sample {
  atMs: number;
  loadedBytes: number;
}

/** The view of one load. */
export class LoadingView {
  readonly element: HTMLElement;
  readonly #bar = h("progress", { max: 1, "aria-label": "Loading the model" });
  readonly #stage = h("p", { class: "stage" }, "Getting ready");
  readonly #amount = h("span", {});
  readonly #speed = h("span", {});
  readonly #from = h("span", {});
  readonly #warning = h("p", { class: "hint" });
  readonly #isFile: boolean;
  #samples: Sample[] = [];
  #announcedPercent = 0;

  constructor(source: string | Blob, onCancel: () => void) {
    this.#isFile = source instanceof Blob;
    this.element = h(
      "div",
      { class: "card loading" },
      h("h2", {}, nameOf(source)),
      this.#stage,
      this.#bar,
      h("p", { class: "facts" }, this.#amount, this.#speed, this.#from),
      this.#warning,
      h("div", { class: "actions" }, button("Cancel", onCancel)),
    );
  }

  /** Shows an event. */
  show(event: ProgressEvent): void {
    const { loadedBytes, totalBytes } = event;
    const part = totalBytes > 0 ? Math.min(1, loadedBytes / totalBytes) : 0;
    // Without a value the bar moves by itself: the header has no size yet.
    if (part > 0) this.#bar.value = part;
    this.#stage.textContent = stageOf(event, this.#isFile);
    this.#amount.textContent =
      totalBytes > 0 ? `${bytes(loadedBytes)} of ${bytes(totalBytes)}` : bytes(loadedBytes);
    this.#from.textContent = originOf(event, this.#isFile);
    this.#warning.textContent = event.warning ?? "";
    this.#showSpeed(event);
    const percent = Math.floor(part * 4) * 25;
    if (percent > this.#announcedPercent && percent < 100) {
      this.#announcedPercent = percent;
      announce(`${percent} percent loaded`);
    }
  }

  #showSpeed({ loadedBytes, totalBytes, stage }: ProgressEvent): void {
    const nowMs = performance.now();
    this.#samples.push({ atMs: nowMs, loadedBytes });
    while ((this.#samples[0]?.atMs ?? nowMs) < nowMs - WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0];
    if (first === undefined || nowMs - first.atMs < 200 || stage !== "weights") return;
    const bytesPerSecond = ((loadedBytes - first.loadedBytes) / (nowMs - first.atMs)) * 1000;
    const left = totalBytes - loadedBytes;
    if (bytesPerSecond <= 0) this.#speed.textContent = "waiting for bytes";
    else if (left === 0) this.#speed.textContent = "";
    else this.#speed.textContent = `${bytes(bytesPerSecond)}/s, ${duration(left / bytesPerSecond)} left`;
  }
}

function stageOf({ stage, loadedBytes, totalBytes, networkBytes }: ProgressEvent, isFile: boolean): string {
  switch (stage) {
    case "header":
      return "Reading what the model is";
    case "weights":
      if (loadedBytes >= totalBytes) return "Preparing the GPU";
      if (isFile) return "Reading the weights from the file";
      return networkBytes > 0
        ? "Fetching the weights, straight to the GPU"
        : "Reading the weights from this browser";
    case "ready":
      return "Ready";
  }
}

function originOf({ networkBytes, cachedBytes }: ProgressEvent, isFile: boolean): string {
  if (isFile) return "from this file";
  if (networkBytes === 0) return cachedBytes === 0 ? "" : "from this browser’s cache";
  if (cachedBytes === 0) return "from the network";
  return `${bytes(cachedBytes)} from the cache, ${bytes(networkBytes)} from the network`;
}
