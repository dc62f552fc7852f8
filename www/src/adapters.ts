// The adapters of `load`'s options, checked and put into the engine's names.

import { refusal, shown, unexpected } from "./refusal.js";
import type { AdapterOptions, AdapterScales } from "./types/adapters.js";
import type { ModelRequest, WireAdapter } from "./types/messages.js";
import type { ModelSource } from "./types/model.js";
import type { Keeper } from "./worker/keeper.js";

/** As the engine has it. */
const MOST_ADAPTERS = 16;
const MOST_SCALE = 100;
const MOST_NAME = 256;

/** What the worker is sent of them. `sourceOf` checks a source that is given as `param`. */
export function wireAdapters(
  adapters: unknown,
  sourceOf: (source: ModelSource, param: string) => ModelRequest["source"],
): { sources: ModelRequest["source"][]; options: WireAdapter[] } {
  if (!Array.isArray(adapters))
    throw unexpected("adapters", "an array of { source, name, scale }", shown(adapters));
  if (adapters.length > MOST_ADAPTERS) {
    throw unexpected("adapters", `at most ${MOST_ADAPTERS} adapters`, String(adapters.length));
  }
  const sources: ModelRequest["source"][] = [];
  const options: WireAdapter[] = [];
  for (const [ix, adapter] of (adapters as unknown[]).entries()) {
    const param = `adapters[${ix}]`;
    if (typeof adapter !== "object" || adapter === null) {
      throw unexpected(param, "{ source, name, scale }", shown(adapter));
    }
    const { source, name, scale = 1, ...others } = adapter as AdapterOptions;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) {
      throw refusal(
        `${param}.${unknown}`,
        `there is no ${param}.${unknown}; there are source, name and scale`,
      );
    }
    if (name !== undefined && !isName(name))
      throw unexpected(`${param}.name`, "a name of 1 to 256 characters", shown(name));
    checkScale(`${param}.scale`, scale);
    sources.push(sourceOf(source, `${param}.source`));
    options.push(name === undefined ? { scale } : { name, scale });
  }
  return { sources, options };
}

/** Multiplies a model's adapters from now on where a request says nothing. */
export async function setAdapters(keeper: Keeper, scales: AdapterScales): Promise<void> {
  for (const [name, scale] of Object.entries(scales)) {
    checkScale(`adapters.${name}`, scale);
  }
  await keeper.adapt(JSON.stringify(scales));
}

function isName(name: unknown): boolean {
  return typeof name === "string" && name !== "" && name.length <= MOST_NAME;
}

function checkScale(param: string, scale: unknown): void {
  if (typeof scale === "number" && Math.abs(scale) <= MOST_SCALE) return;
  throw unexpected(param, `a number from -${MOST_SCALE} to ${MOST_SCALE}`, shown(scale));
}
