// What the tests of the Prompt API share: the class with a scripted model behind it.

import { inspectIn } from "../../src/inspect.js";
import { loadIn } from "../../src/engine.js";
import type { Loader } from "../../src/prompt_api/availability.js";
import type { BackingOptions } from "../../src/prompt_api/backing.js";
import { languageModelIn } from "../../src/prompt_api/class.js";
import type { LanguageModelConstructor } from "../../src/prompt_api/types.js";
import { listModelsIn } from "../../src/stored.js";
import { Script } from "../fake/scripted.js";
import { address } from "../support.js";

/** A class of sessions, and what the model behind it says and hears. */
export interface Scripted {
  LanguageModel: LanguageModelConstructor;
  script: Script;
  loader: Loader;
}

/** The fake's file has no template. */
const OPTIONS: BackingOptions = { contextLength: 100, chatTemplate: "{{ messages }}" };

/** A class whose model is at the fake's address with that query; `contextLength` 100 leaves a window of 88 tokens. */
export function scripted(query = "steps=2", options: BackingOptions = {}): Scripted {
  const script = new Script();
  const loader = loaderOf(script);
  const LanguageModel = languageModelIn(loader, address(query), { ...OPTIONS, ...options });
  return { LanguageModel, script, loader };
}

/** What loads models that keep to a script. */
export function loaderOf(script: Script): Loader {
  return {
    load: (source, options) => loadIn(script.start, source, options ?? {}),
    inspect: (source, options) => inspectIn(script.start, source, options ?? {}),
    listModels: () => listModelsIn(script.start),
  };
}

/** So many words. */
export function words(count: number, word = "word"): string {
  return Array.from({ length: count }, (_, ix) => `${word}${ix}`).join(" ");
}

/** The chunks of a stream. */
export async function chunksOf<Chunk>(stream: ReadableStream<Chunk>): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const chunk of stream as unknown as AsyncIterable<Chunk>) chunks.push(chunk);
  return chunks;
}

/** Something that is awaited until the test lets it go on. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
