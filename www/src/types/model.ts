// What `load` takes and tells. Names are camelCase here and snake_case in the engine; `worker/serve.ts` and
// `options.ts` are where the two meet.

import type { AdapterInfo, AdapterOptions } from "./adapters.js";
import type { ChatCompletionMessageParam, ChatCompletionTool } from "./openai.js";

import type { ErrorDetails } from "../errors.js";
import type { ErrorCode } from "../generated/codes.js";

/** How far a load has come. */
export interface ProgressEvent {
  /** `header`: reading what the model is. `weights`: its bytes on the way to the device. `ready`: done. */
  stage: "header" | "weights" | "ready";
  /** Bytes that have arrived, from wherever. */
  loadedBytes: number;
  /** Bytes of the whole model; 0 while it is not known. */
  totalBytes: number;
  /** Of the loaded bytes, those that came from the network. */
  networkBytes: number;
  /** Of the loaded bytes, those that came from this machine: the browser's cache, or a file at hand. */
  cachedBytes: number;
  /** Something worth knowing that does not stop the load, such as a cache that can't be written. */
  warning?: string;
}

/** What a model runs on. */
export type DeviceInfo = GpuInfo | CpuInfo;

/** The GPU a model runs on, and the kind of shaders chosen for it. */
export interface GpuInfo {
  kind: "webgpu";
  name: string;
  /** Why this device. */
  reason: string;
  vendor: string;
  architecture: string;
  description: string;
  /** A GPU that the processor imitates: right results, no speed. */
  isSoftware: boolean;
  variant: string;
  precision: string;
  /** Dispatches of a step of one token, by layer. Not covered by semantic versioning. */
  dispatchesPerLayer: number;
  features: string[];
}

/** The processor. */
export interface CpuInfo {
  kind: "cpu";
  name: string;
  /** Why this device and no GPU. */
  reason: string;
  /** The instructions that are used. */
  simd: "simd128" | "relaxed";
  /** Threads that write an answer: as many as a measurement found to be worth it. */
  threads: number;
  /** Threads that read a prompt. */
  prefillThreads: number;
  /** Why there could not be more. */
  threadsLimitedBy: string | null;
}

/** What a model file says about itself. */
export interface ModelInfo {
  id: string;
  name: string;
  architecture: string;
  /** Tokens that a conversation may hold. */
  contextLength: number;
  vocabSize: number;
  /** Elements of a text's vector, for a model that makes such and writes no texts; else `null`. */
  embeddingDimensions: number | null;
  fileBytes: number;
  device: DeviceInfo;
  /** Those that it was loaded with. */
  adapters: AdapterInfo[];
}

/** Counts since the load, for tests and measurements. Not covered by semantic versioning. */
export interface Counters {
  buffersCreated: number;
  bindGroupsCreated: number;
  pipelinesCreated: number;
  steps: number;
  /** Kinds of projections whose shaders were not timed yet, to take the fastest. */
  untuned: number;
  dispatches: number;
  submits: number;
  wasmHeapBytes: number;
  /** Memory of the CPU's executor, weights and all; 0 on a GPU. */
  cpuMemoryBytes: number;
}

/** Switches for tests and measurements. Not covered by semantic versioning. */
export interface AdvancedOptions {
  /** The family of shaders; `auto` takes the best that the device can do. */
  variant?: "auto" | "subgroup" | "shared" | "serial";
  /** Arithmetic of the shaders. */
  precision?: "auto" | "f32" | "f16";
  /** Whether a pending read-back is poked by empty submits; some browsers else wait for a timer. */
  poke?: "auto" | "on" | "off";
  /** Whether shaders are timed on the device while nothing else is to be done, to take the fastest; yes by default. */
  tune?: boolean;
  /** Threads of the CPU's executor, 1 to 16; a measurement decides where absent. */
  threads?: number;
  /** The build of the CPU's executor; the best that the browser runs where absent. */
  simd?: "simd128" | "relaxed";
  /** Most bytes of the CPU's memory, 2^24 to 2^32. */
  memoryBytes?: number;
}

/** Options of `load`. */
export interface LoadOptions {
  /**
   * What runs the model. `auto`, as where absent: WebGPU on a real GPU, and the CPU where there is none or only
   * one that the processor imitates. `model.device` tells what it is, and why.
   */
  device?: "auto" | "webgpu" | "cpu";
  /** Called as bytes arrive, a few times a second at most, and once at the end. */
  onProgress?: (event: ProgressEvent) => void;
  /** Told what stops nothing but is worth knowing, such as a thread that was lost; the console where absent. */
  onWarning?: (message: string) => void;
  /** Stops the load. What had arrived is kept, but for the last moments, and the next load goes on from there. */
  signal?: AbortSignal;
  /** Tokens that a conversation may hold, 1 to 2^24; the model's own limit where absent. */
  contextLength?: number;
  /** A Jinja chat template in place of the model's own. */
  chatTemplate?: string;
  /**
   * Where absent, the weights are kept in the browser's private file system if that is possible. `opfs` insists
   * on it and else fails: for a file at hand, where there is no such file system or no room, and while another
   * load is storing the same model. `none` neither keeps nor uses them.
   */
  cache?: "opfs" | "none";
  /**
   * Whether the server is asked if the file has changed since it was cached. By default nobody is asked: what is
   * cached loads without a network. Where the server does not answer, what is cached is used.
   */
  revalidate?: boolean;
  /**
   * Precision of the attention cache on a GPU: `f32` takes twice the memory of `f16`, and `q8`, 8 bits with a scale each 32
   * numbers, little more than half of it, for longer contexts and more conversations; it changes answers a little. On the CPU it is
   * `f16`.
   */
  kvCache?: "f16" | "f32" | "q8";
  /**
   * What weights that the file has as floats (a repository's safetensors, or a GGUF in F16) are rounded to while they
   * come, as llama.cpp would: 8 bits a weight, or 4 with 8 for rows of tokens and the head. Takes a half or a quarter of
   * the memory; what is downloaded and kept stays as it is. Weights that are rounded already are left alone.
   */
  quantize?: "q8_0" | "q4_0";
  /**
   * What is added to some of its matrices (LoRA), at most 16 of them, of any ranks: each request may say which, and how much of
   * it (`puna: { adapters: { NAME: SCALE } }`), or call the model by an adapter's name; `Model.setAdapters` says so for those
   * that don't. They are downloaded and kept as models are, and come behind the model, counted anew in `onProgress`.
   */
  adapters?: AdapterOptions[];
  /**
   * Requests that are answered at the same time, 1 to 4; 4 where absent, or as many as the device has memory to
   * bind for. The others wait.
   */
  parallel?: number;
  /** Requests that may wait, 0 to 2^16; 256 where absent. More are refused with `busy`. */
  queueLimit?: number;
  /** Switches for tests and measurements. */
  advanced?: AdvancedOptions;
}

/**
 * Where a model comes from: the address of a GGUF file (of a split model: its first one), of a shard manifest, of a folder
 * that holds a Hugging Face repository (ending in a slash, or with `config.json`), or of the repository's page there; or
 * what is at hand: a GGUF file, all files of a split one, or those of such a folder.
 */
export type ModelSource = string | URL | Blob | Iterable<File>;

/** What conversations begin with: messages, a text, or what `Session.save` gave. */
export type SessionSource =
  | { messages: ChatCompletionMessageParam[]; tools?: ChatCompletionTool[] }
  | { prompt: string }
  | Uint8Array
  | ArrayBuffer;

/** What a model is, from its header alone. */
export interface ModelReport {
  /** What `load` would call it. */
  id: string;
  /** `GGUF v3`, or `safetensors`. */
  format: string;
  /** Files that it is in. */
  files: number;
  /** Their bytes together. */
  fileBytes: number;
  /** Bytes in front of the first tensor. */
  headerBytes: number;
  /** Bytes that came over the network to tell all this. */
  networkBytes: number;
  /** What its authors call it. */
  name: string | null;
  architecture: string | null;
  /** Numbers in all its tensors. */
  parameters: number;
  /** Most tokens of a conversation, as it was made; `null` if its architecture, or a type of its weights, is not known. */
  contextLength: number | null;
  /** As in {@link ModelInfo}. */
  embeddingDimensions: number | null;
  /** The metadata, or what `config.json` says in its terms, by the keys of GGUF; long arrays by type and length. */
  metadata: Record<string, MetadataValue>;
  /** What types its tensors have. */
  types: TypeReport[];
  /** The tensors in the header's order. */
  tensors: TensorReport[];
  /** What it takes on a GPU; `null` if its architecture, or a type of its weights, is not known. */
  memory: MemoryReport | null;
  /** Whether this device can run it. */
  device: DeviceReport;
}

/** A value of a model's metadata. */
export type MetadataValue = string | number | boolean | (string | number | boolean)[];

/** The tensors of a type. */
export interface TypeReport {
  /** `Q4_K`, for example. */
  name: string;
  tensors: number;
  /** Numbers in them. */
  elements: number;
  bytes: number;
  bitsPerWeight: number;
}

/** A tensor. */
export interface TensorReport {
  name: string;
  type: string;
  /** Outermost first: rows, columns. */
  shape: number[];
  /** Where its bytes begin, from the start of the file. */
  offset: number;
  bytes: number;
}

/** Memory that a model takes on a GPU. */
export interface MemoryReport {
  /** Weights as they are. */
  weightsBytes: number;
  /** Weights rounded while they come (`LoadOptions.quantize`), where that takes less. */
  rounded: { quantize: "q8_0" | "q4_0"; weightsBytes: number }[];
  /** Conversations of some lengths, in f16, besides the weights. */
  contexts: { tokens: number; bytes: number }[];
}

/** What `load` with the same options would run a model on. */
export type DeviceReport = Consent | Refusal;

/** A device that can run a model, as far as can be told: what memory is free no browser says. */
export interface Consent {
  canRun: true;
  kind: "webgpu" | "cpu";
  name: string;
  /** Why this device. */
  reason: string;
  /** Tokens that a conversation can hold there. */
  contextLength: number;
  /** Bytes that the model takes there with such a conversation. */
  memoryBytes: number;
  problem: null;
}

/** A device that can't run a model. */
export interface Refusal {
  canRun: false;
  kind: "webgpu" | "cpu";
  name: null;
  /** Why this device. */
  reason: string;
  contextLength: null;
  memoryBytes: null;
  /** What `load` would fail with. */
  problem: { code: ErrorCode; message: string; details: ErrorDetails };
}

/** A model in the browser's cache. */
export interface StoredModel {
  /** Where it came from: what `load` and `removeModel` know it by. */
  url: string;
  /** Bytes of the whole model. */
  fileBytes: number;
  /** Of these, the bytes that are kept. */
  storedBytes: number;
  /** Whether it loads without a network. */
  isComplete: boolean;
}
