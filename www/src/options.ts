// What `load` was given, checked for what only this side can know and put into the engine's names. Values are
// the engine's to judge; a name that nobody would read is refused here.

import { InvalidRequestError } from "./errors.js";
import type { Requests, WireLoadOptions } from "./types/messages.js";
import type { AdvancedOptions, LoadOptions, ModelSource } from "./types/model.js";

const OPTION_NAMES = {
  contextLength: "context_length",
  chatTemplate: "chat_template",
  cache: "cache",
  revalidate: "revalidate",
  kvCache: "kv_cache",
} as const satisfies Partial<Record<keyof LoadOptions, keyof WireLoadOptions>>;

const ADVANCED_NAMES = {
  variant: "variant",
  precision: "precision",
  poke: "poke",
} as const satisfies Record<keyof AdvancedOptions, keyof WireLoadOptions>;

const OWN_NAMES: readonly string[] = ["onProgress", "signal", "advanced"] satisfies (keyof LoadOptions)[];

/** The request that the worker is sent. */
export function loadRequest(source: ModelSource, options: LoadOptions): Requests["load"] {
  return {
    source: sourceOf(source),
    options: {
      ...renamed(options, OPTION_NAMES, OWN_NAMES, ""),
      ...renamed(options.advanced ?? {}, ADVANCED_NAMES, [], "advanced."),
    },
  };
}

/** An absolute URL, for the worker's base is not the page's; a file as it is. */
function sourceOf(source: ModelSource): string | Blob {
  if (source instanceof Blob) return source;
  const base =
    "document" in globalThis ? document.baseURI : (globalThis.location as Location | undefined)?.href;
  try {
    return new URL(source, base).href;
  } catch (cause) {
    throw new InvalidRequestError(`load: ${JSON.stringify(String(source))} is not a URL`, {
      details: { param: "source" },
      cause,
    });
  }
}

function renamed(
  options: object,
  names: Readonly<Record<string, keyof WireLoadOptions>>,
  others: readonly string[],
  prefix: string,
): WireLoadOptions {
  const wire: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (value === undefined || others.includes(name)) continue;
    if (!Object.hasOwn(names, name)) {
      const known = [...Object.keys(names), ...others].join(", ");
      throw new InvalidRequestError(`load: there is no option ${prefix}${name}; there are ${known}`, {
        details: { param: prefix + name },
      });
    }
    wire[names[name] ?? name] = value;
  }
  return wire;
}
