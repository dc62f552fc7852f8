// What `load` takes and tells. Names are camelCase here and snake_case in the engine; `worker/serve.ts` and
// `options.ts` are where the two meet.

/** How far a load has come. */
export interface ProgressEvent {
  /** `header`: reading what the model is. `weights`: its bytes on the way to the GPU. `ready`: done. */
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

/** The GPU a model runs on, and the kind of shaders chosen for it. */
export interface DeviceInfo {
  kind: "webgpu";
  name: string;
  vendor: string;
  architecture: string;
  description: string;
  /** A GPU that the processor imitates: right results, no speed. */
  isSoftware: boolean;
  variant: string;
  precision: string;
  features: string[];
}

/** What a model file says about itself. */
export interface ModelInfo {
  id: string;
  name: string;
  architecture: string;
  /** Tokens that a conversation may hold. */
  contextLength: number;
  vocabSize: number;
  fileBytes: number;
  device: DeviceInfo;
}

/** Counts since the load, for tests and measurements. Not covered by semantic versioning. */
export interface Counters {
  buffersCreated: number;
  bindGroupsCreated: number;
  pipelinesCreated: number;
  steps: number;
  submits: number;
  wasmHeapBytes: number;
}

/** Switches for tests and measurements. Not covered by semantic versioning. */
export interface AdvancedOptions {
  /** The family of shaders; `auto` takes the best that the device can do. */
  variant?: "auto" | "subgroup" | "shared" | "serial";
  /** Arithmetic of the shaders. */
  precision?: "auto" | "f32" | "f16";
  /** Whether a pending read-back is poked by empty submits; some browsers else wait for a timer. */
  poke?: "auto" | "on" | "off";
}

/** Options of `load`. */
export interface LoadOptions {
  /** Called as bytes arrive, a few times a second at most, and once at the end. */
  onProgress?: (event: ProgressEvent) => void;
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
  /** Precision of the attention cache; `f32` takes twice the memory. */
  kvCache?: "f16" | "f32";
  /** Switches for tests and measurements. */
  advanced?: AdvancedOptions;
}

/** Where a model comes from: the address of a GGUF file or of a shard manifest, or a file at hand. */
export type ModelSource = string | URL | Blob;

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
