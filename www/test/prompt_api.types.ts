// Checked by `tsc` alone, never run: what answers are follows from what is asked for.

import type { Model } from "../src/index.js";
import type {
  LanguageModelConstructor,
  LanguageModelMessageContent,
  LanguageModelPromptResult,
  LanguageModelTool,
  LanguageModelToolDeclaration,
  languageModel,
} from "../src/prompt_api/index.js";

/** Compiles only where `From` can be given for `To`. */
type Fits<From extends To, To> = From;

/** A loaded model is a source. */
export type Source = Fits<Model, Parameters<typeof languageModel>[0]>;

/** Answers of sessions whose tools the session calls, or nobody. */
export async function texts(own: LanguageModelConstructor, tools: LanguageModelTool[]): Promise<string[]> {
  const session = await own.create({ tools, samplingMode: "creative" });
  const clone = await session.clone();
  return [await session.prompt("a"), await clone.prompt([{ role: "user", content: "b" }])];
}

/** Answers that may be parts: calls of tools for the page, or with thoughts. */
export async function parts(
  own: LanguageModelConstructor,
  tools: LanguageModelToolDeclaration[],
): Promise<LanguageModelPromptResult[]> {
  const open = await own.create({ tools, expectedOutputs: [{ type: "tool-call" }] });
  const thoughtful = await own.create({ thinking: { includeThoughts: true } });
  const plain = await own.create();
  const answers = [
    await open.prompt("a"),
    await thoughtful.prompt("a"),
    await plain.prompt("a", { thinking: { includeThoughts: true } }),
  ];
  // @ts-expect-error -- it may be parts
  const text: string = await open.prompt("a");
  return [...answers, text];
}

/** Streams of texts, and of parts. */
export async function streams(
  own: LanguageModelConstructor,
): Promise<[ReadableStream<string>, ReadableStream<LanguageModelMessageContent>]> {
  const session = await own.create();
  return [
    session.promptStreaming("a"),
    session.promptStreaming("a", { thinking: { includeThoughts: true } }),
  ];
}
