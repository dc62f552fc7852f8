// What is told of tokens.

import type { ChatCompletionMessageParam, ChatCompletionTool } from "./openai.js";

/**
 * A text alone, in which nothing is a control token; or what is read before an answer: the prompt of a chat, with all that its
 * template writes, or a `prompt` as `completions.create` takes it.
 */
export type TextSource =
  string | { prompt: string } | { messages: ChatCompletionMessageParam[]; tools?: ChatCompletionTool[] };

/** A token. */
export interface Token {
  /** Its number in the model's vocabulary. */
  id: number;
  /** What it is written as; parts of characters are U+FFFD. */
  text: string;
}

/** A token of a text that was scored. */
export interface ScoredToken extends Token {
  /** The natural logarithm of its probability given all in front of it; `null` for a first one with nothing in front. */
  logprob: number | null;
}

/** How likely a text is. */
export interface Score {
  tokens: ScoredToken[];
  /** The logarithm of its probability: their sum. */
  logprob: number;
  /** exp of the mean of −logprob: 1 is certain. `null` where no token has one. */
  perplexity: number | null;
}
