// Adapters: what is added to some of a model's matrices.

import type { ModelSource } from "./model.js";

/** An adapter to load with a model. */
export interface AdapterOptions {
  /**
   * A GGUF as llama.cpp's `convert_lora_to_gguf.py` writes it, or a folder as PEFT saves it (`adapter_config.json` and
   * `adapter_model.safetensors`); as for a model, its address or the files at hand.
   */
  source: ModelSource;
  /** What requests call it; as its file or folder is called where absent. */
  name?: string;
  /** What it is multiplied by where a request says nothing, -100 to 100; 1 where absent, 0 to load it switched off. */
  scale?: number;
}

/** An adapter that was loaded. */
export interface AdapterInfo {
  name: string;
  /** What it was loaded with. */
  scale: number;
  /** The largest rank of what it adds. */
  rank: number;
  /** How many of the model's tensors it changes. */
  targets: number;
}

/** What adapters are multiplied by, by name; those that are not named, by 0. */
export type AdapterScales = Readonly<Record<string, number>>;
