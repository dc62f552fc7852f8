// Errors for the person at the screen: what happened, what to do; the library's own words are a click away.

import { type ErrorCode, PunaError } from "../../src/index.js";
import { h } from "./dom.js";

interface Explanation {
  title: string;
  next: string;
}

const EXPLANATIONS = {
  unsupported_device: {
    title: "This browser can’t use the GPU",
    next: "Try a current Chrome, Edge, Firefox or Safari on a computer or phone with a GPU.",
  },
  device_lost: {
    title: "The GPU went away",
    next: "Its driver was reset, or the system took it back. Try again: the model is loaded anew, from the cache.",
  },
  out_of_memory: {
    title: "Not enough memory",
    next: "Close other tabs and programs that use the GPU, or take a smaller model.",
  },
  shader_failed: {
    title: "The GPU’s driver refused our program",
    next: "Update the browser and the graphics driver. If that does not help, please report the details.",
  },
  network: {
    title: "The model could not be fetched",
    next: "Check the address and the connection. What had arrived is kept, but for the last moments: trying again goes on from there.",
  },
  integrity: {
    title: "The model arrived damaged",
    next: "Its bytes do not match their checksum and were not kept. Try again; if it stays, the host’s file is broken.",
  },
  storage_full: {
    title: "The browser’s storage is full",
    next: "Free some disk space, or clear this site’s data in the browser’s settings, and try again.",
  },
  bad_model_file: {
    title: "This is not a whole model file",
    next: "It should be a GGUF file, or the manifest of a sharded one. A page or a cut-off download looks like this.",
  },
  unsupported_model: {
    title: "This model can’t be run yet",
    next: "The file is fine, but needs something that Puna does not have. The details name it.",
  },
  context_length_exceeded: {
    title: "The conversation is too long",
    next: "It no longer fits the model’s context. Start a new chat.",
  },
  invalid_request: {
    title: "The request was refused",
    next: "The details name the setting at fault; the settings can be reset to their defaults.",
  },
  aborted: { title: "Stopped", next: "What had arrived is kept, but for the last moments." },
  busy: {
    title: "The model is in use",
    next: "It is still answering, or another tab is storing it. Wait for that to end, and try again.",
  },
  internal: {
    title: "Something broke in Puna",
    next: "This is our fault. Try again: the model is loaded anew; and please report the details.",
  },
} satisfies Record<ErrorCode, Explanation>;

/** The code of anything that was thrown. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof PunaError ? error.code : "internal";
}

/** A card that explains an error and offers ways on. */
export function errorCard(error: unknown, ...actions: HTMLElement[]): HTMLElement {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const { title, next } = EXPLANATIONS[code];
  return h(
    "div",
    { class: "error", role: "alert" },
    h("h2", {}, title),
    h("p", {}, code === "unsupported_device" ? sentence(message) : (refusal(error) ?? next)),
    h(
      "details",
      {},
      h("summary", {}, "Details"),
      h("p", { class: "raw" }, h("code", {}, code), " ", message),
      ...facts(error),
    ),
    actions.length === 0 ? null : h("div", { class: "actions" }, ...actions),
  );
}

/** What the status of a server's answer means. */
function refusal(error: unknown): string | null {
  if (!(error instanceof PunaError) || error.code !== "network") return null;
  const status = error.details["status"];
  if (typeof status !== "number") return null;
  const said = `The server answered ${status}`;
  if (status === 404 || status === 410) return `${said}: there is no such file. Check the address.`;
  if (status === 401 || status === 403) return `${said}: it does not give this file to everybody.`;
  if (status >= 500) return `${said}: it has a problem of its own. Try again later.`;
  return null;
}

function facts(error: unknown): HTMLElement[] {
  if (!(error instanceof PunaError) || Object.keys(error.details).length === 0) return [];
  return [h("pre", { tabindex: 0 }, JSON.stringify(error.details, null, 2))];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
