// Whether and how much a model is to think before it answers, as the draft's explainer has it.

import type { LanguageModelThinking, LanguageModelThinkingEffort } from "./types.js";
import { dictionary, enumeration } from "./webidl.js";

/** What is asked of answers. */
export type Thinking = Readonly<Required<LanguageModelThinking>>;

/** What sessions have that ask for nothing. */
export const UNTHINKING: Thinking = { effort: "none", includeThoughts: false };

const EFFORTS: readonly LanguageModelThinkingEffort[] = ["none", "low", "medium", "high"];

/** Reads `thinking`; what it does not say is as it was before. */
export function readThinking(value: unknown, before: Thinking): Thinking {
  const { effort, includeThoughts } = dictionary(value, "thinking");
  return {
    effort: effort === undefined ? before.effort : enumeration(effort, EFFORTS, "thinking.effort"),
    includeThoughts: includeThoughts === undefined ? before.includeThoughts : Boolean(includeThoughts),
  };
}
