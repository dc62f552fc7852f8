// The glue that `cargo xtask wasm` writes into www/pkg/, under the name by which the build finds it
// (build/engine.ts). An ambient module, so that nothing but the build needs that folder.

declare module "puna-engine" {
  /** Fetches and starts the wasm, which lies beside the script. */
  const init: () => Promise<unknown>;
  /** The engine. */
  export const Engine: import("./wasm.js").WasmEngineClass;
  export default init;
}
