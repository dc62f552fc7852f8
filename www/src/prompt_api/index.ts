// "puna/prompt-api": the W3C's Prompt API, by any model that Puna runs.

import type { Model } from "../engine.js";
import { inspect, listModels, load } from "../index.js";
import type { ModelSource } from "../types/model.js";
import type { BackingOptions } from "./backing.js";
import { languageModelIn } from "./class.js";
import type { LanguageModelConstructor } from "./types.js";

export type { BackingOptions } from "./backing.js";
export {
  LanguageModelToolCall,
  type LanguageModelToolCallInit,
  LanguageModelToolError,
  type LanguageModelToolErrorInit,
  type LanguageModelToolResultContent,
  LanguageModelToolSuccess,
  type LanguageModelToolSuccessInit,
} from "./tool_values.js";
export type * from "./types.js";

/**
 * A class `LanguageModel` as the Prompt API's draft has it, whose sessions talk to one model: what `load` takes, or a model that is
 * loaded already. It is loaded when the first session is created, and shared by all of them. Works in windows and in workers.
 *
 * @example
 * import { languageModel } from "puna/prompt-api";
 *
 * globalThis.LanguageModel ??= languageModel("https://example.org/model.gguf");
 * const session = await LanguageModel.create({ initialPrompts: [{ role: "system", content: "You are a llama." }] });
 * console.log(await session.prompt("What do you eat?"));
 */
export function languageModel(
  source: ModelSource | Model,
  options: BackingOptions = {},
): LanguageModelConstructor {
  return languageModelIn({ load, inspect, listModels }, source, options);
}
