// The engine as the worker sees it: the face of the wasm-bindgen glue, written down here so that checking the
// types needs no build of the wasm.

import type { CpuHost } from "./cpu.js";
import type { GrammarHost } from "./grammar.js";

/** Progress in the engine's names. */
export interface WasmProgress {
  stage: "header" | "weights" | "ready";
  loaded_bytes: number;
  total_bytes: number;
  network_bytes: number;
  cached_bytes: number;
  warning?: string;
}

/** A loaded model. What goes in and out is JSON text; what is thrown is `{code, message, details}`. */
export interface WasmEngine {
  /** JSON of the model's and the device's description. */
  info(): string;
  /** JSON of a completion, or "" where the request was streamed and `onChunk` got JSON of chunks. */
  chat(request: string, onChunk: (json: string) => void, signal: AbortSignal | undefined): Promise<string>;
  /** The same of a text that is gone on with. */
  complete(
    request: string,
    onChunk: (json: string) => void,
    signal: AbortSignal | undefined,
  ): Promise<string>;
  /** The same of a request of Anthropic's wire. */
  message(request: string, onChunk: (json: string) => void, signal: AbortSignal | undefined): Promise<string>;
  /** The same of a request of OpenAI's newer wire. */
  respond(request: string, onChunk: (json: string) => void, signal: AbortSignal | undefined): Promise<string>;
  /** JSON of vectors of texts. */
  embed(request: string, signal: AbortSignal | undefined): Promise<string>;
  /** JSON of `{ids, cached_tokens}`: the tokens of a beginning, which the model has read. */
  read(request: string, signal: AbortSignal | undefined): Promise<string>;
  /** What it keeps of such tokens. */
  save(
    ids: Uint32Array,
    precision: string,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** JSON of `{ids}`: what `save` gave, which the model knows again. */
  restore(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<string>;
  /** JSON of `{ids, texts, logprobs, logprob, perplexity}`: how likely a text is. */
  score(request: string, signal: AbortSignal | undefined): Promise<string>;
  /** JSON of `{ids, texts}`: the tokens of a text, or of a request of that wire. */
  tokenize(wire: string, request: string): string;
  /** The text of tokens. */
  detokenize(ids: Uint32Array, special: boolean): string;
  /** Multiplies adapters from now on where a request says nothing; `scales` is JSON, `{NAME: SCALE}`. */
  set_adapters(scales: string): void;
  /** How many conversations of any length it can go on with at a time. */
  conversations(): number;
  /** Times the shaders of one more projection, to take the fastest from then on; `false` when there was none to time. */
  tune(signal: AbortSignal | undefined): Promise<boolean>;
  /** JSON of the counts. */
  counters(): string;
  /** Frees the memory of the device. */
  unload(): void;
}

/** The class that the glue exports. */
export interface WasmEngineClass {
  /** `options.device` is what runs it; `cpu` starts the CPU's executor if that is it, `grammar` what holds answers. */
  load(
    options: string,
    source: string | Blob | File[],
    adapters: (string | Blob | File[])[],
    onProgress: (event: WasmProgress) => void,
    signal: AbortSignal | undefined,
    cpu: CpuHost,
    grammar: GrammarHost,
  ): Promise<WasmEngine>;
}

/** The function that the glue exports. `fallsBack` asks about the CPU where there is no device after all; `refused` is why there is none. */
export type InspectModel = (
  options: string,
  source: string | Blob | File[],
  fallsBack: boolean,
  refused: string | undefined,
  signal: AbortSignal | undefined,
) => Promise<string>;
