// The glue that `cargo xtask wasm` writes into www/pkg/, under the name by which the build finds it
// (build/engine.ts). An ambient module, so that nothing but the build needs that folder.

declare module "puna-engine" {
  /** Fetches and starts the wasm, which lies beside the script. */
  const init: () => Promise<unknown>;
  /** The engine. */
  export const Engine: import("./wasm.js").WasmEngineClass;
  /** JSON of what a header tells of a model, and of whether the device that `options` name can run it. */
  export const inspect_model: import("./wasm.js").InspectModel;
  /** JSON of an array of `{url, file_bytes, stored_bytes, is_complete}`: what the cache holds. */
  export const list_models: () => Promise<string>;
  /** Removes a model from the cache; whether it was there. */
  export const remove_model: (url: string) => Promise<boolean>;
  /** Whether an adapter that calls itself so is a GPU that the processor imitates. */
  export const is_software_adapter: (names: string) => boolean;
  export default init;
}
