// The worker protocol. A request has an id; any number of events carry it, then exactly one terminal message.
// `cancel` has no answer of its own: the request it names ends as `failed` with the code `aborted`, or has
// ended already.

import type { WireError } from "../errors.js";
import type { Counters, ModelInfo, ModelReport, ProgressEvent, StoredModel } from "./model.js";
import type { ChatCompletion, ChatCompletionChunk, Completion, CreateEmbeddingResponse } from "./openai.js";

/** The options as the engine reads them. */
export interface WireLoadOptions {
  device?: "auto" | "webgpu" | "cpu";
  context_length?: number;
  chat_template?: string;
  cache?: string;
  revalidate?: boolean;
  kv_cache?: string;
  quantize?: string;
  variant?: string;
  precision?: string;
  poke?: string;
  tune?: boolean;
  threads?: number;
  simd?: string;
  memory_bytes?: number;
  adapters?: WireAdapter[];
  /** For the worker itself, as is the next. */
  parallel?: number;
  queue_limit?: number;
}

/** An adapter, whose source is beside the model's. */
export interface WireAdapter {
  name?: string;
  scale: number;
}

/** A model: an absolute URL or files, and what is wanted of it. */
export interface ModelRequest {
  source: string | Blob | File[];
  /** The sources of the options' adapters. */
  adapters: (string | Blob | File[])[];
  options: WireLoadOptions;
}

/** What the page asks, by kind, without the id. */
export interface Requests {
  /** Once, before what needs a model. */
  load: ModelRequest;
  /** Reads a header. Needs no model. */
  inspect: ModelRequest;
  /** `request` is the JSON of an OpenAI chat completion request. */
  chat: { request: string };
  /** `request` is the JSON of an Anthropic message request. */
  message: { request: string };
  /** `request` is the JSON of a request of OpenAI's newer wire. */
  respond: { request: string };
  /** `request` is the JSON of an OpenAI completion request. */
  complete: { request: string };
  /** `request` is the JSON of an OpenAI embeddings request. */
  embed: { request: string };
  /** `request` is the JSON of a chat or completion request. */
  read: { request: string };
  /** Tokens of a conversation. */
  save: { ids: Uint32Array; precision: string };
  /** What `save` gave. */
  restore: { bytes: Uint8Array };
  /** `request` is JSON of a `text`, and of what stands in front of it, as `read` has it. */
  score: { request: string };
  /** `request` is JSON of a `text`, or as `read` has it; or a request of another wire. Answered at once, as are the next two. */
  tokenize: { wire: "" | "message" | "respond"; request: string };
  detokenize: { ids: Uint32Array; special: boolean };
  /** `scales` is JSON, `{NAME: SCALE}`. Answered at once. */
  adapt: { scales: string };
  counters: object;
  /** Stops what runs, frees the model; the last request. */
  unload: object;
  /** What the cache holds. Needs no model and no GPU, and neither does `remove`. */
  list: object;
  /** `url` is absolute. */
  remove: { url: string };
}

/** What the worker answers, by kind. */
export interface Results {
  load: ModelInfo;
  inspect: ModelReport;
  /** `null` where the answer was streamed. */
  chat: ChatCompletion | null;
  message: object | null;
  respond: object | null;
  complete: Completion | null;
  embed: CreateEmbeddingResponse;
  read: Read;
  save: Uint8Array<ArrayBuffer>;
  restore: Read;
  score: Scored;
  tokenize: Told;
  detokenize: string;
  adapt: null;
  counters: Counters;
  unload: null;
  list: StoredModel[];
  /** Whether there was something to remove. */
  remove: boolean;
}

/** The beginning of a conversation, as the model has read it. */
export interface Read {
  ids: number[];
  /** How many of them it knew before. */
  cachedTokens: number;
}

/** Tokens, and what each of them is written as. */
export interface Told {
  ids: number[];
  texts: string[];
}

/** The same with the logarithms of their probabilities, of all together, and the perplexity. */
export interface Scored extends Told {
  logprobs: (number | null)[];
  logprob: number;
  perplexity: number | null;
}

/** What streamed answers are made of, by kind of request. */
export interface Chunks {
  chat: ChatCompletionChunk;
  complete: Completion;
  /** An event of Anthropic's wire. */
  message: object;
  /** An event of OpenAI's newer wire. */
  respond: object;
}

/** The kinds of request. */
export type Kind = keyof Requests;

/** A request of the page. */
export type RequestMessage<K extends Kind = Kind> = { [P in K]: { kind: P; id: number } & Requests[P] }[K];

/** Everything the page sends. */
export type ToWorker = RequestMessage | CancelMessage | ThreadReport;

/** Stops a request. */
export interface CancelMessage {
  kind: "cancel";
  id: number;
}

/** What a thread of the CPU's executor is told. */
export interface ThreadStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  pool: number;
  ix: number;
  /** Where its stack ends, from which it grows down. */
  stack: number;
}

/**
 * What the engine asks of the page for its threads, each of which has a number of its own. Through the port a thread
 * hears what to do ({@link ThreadStart}) and says that it serves.
 */
export type ThreadRequest =
  { kind: "start_thread"; thread: number; port: MessagePort } | { kind: "end_threads" };

/** What the page says of a thread: why it does not serve. */
export interface ThreadReport {
  kind: "thread";
  thread: number;
  failed: string;
}

/** An event of a request: any number of them. */
export type EventMessage =
  | { kind: "progress"; id: number; progress: ProgressEvent }
  | { kind: "chunk"; id: number; chunk: Chunks[keyof Chunks] };

/** The end of a request: exactly one. */
export type TerminalMessage =
  { kind: "done"; id: number; result: Results[Kind] } | { kind: "failed"; id: number; error: WireError };

/**
 * Everything the worker sends. What belongs to no request: `warned` tells something that stops nothing, after
 * `died` the engine can't be used any more, a lock is held as long as the worker `lives`, and threads are asked for.
 */
export type FromWorker =
  | EventMessage
  | TerminalMessage
  | { kind: "warned"; message: string }
  | { kind: "died"; error: WireError }
  | { kind: "lives"; lock: string }
  | ThreadRequest;
