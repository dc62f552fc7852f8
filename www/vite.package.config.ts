// The package, file by file: `--mode index` builds dist/index.js, `--mode worker` dist/worker.js and the wasm.

import { defineConfig } from "vite";

import { engine, plainFiles } from "./build/engine.js";

const ENTRIES: Readonly<Record<string, string>> = { index: "src/index.ts", worker: "src/worker/main.ts" };

export default defineConfig(({ mode }) => {
  const entry = ENTRIES[mode];
  if (entry === undefined) throw new Error(`--mode ${mode}: expected ${Object.keys(ENTRIES).join(" or ")}`);
  return {
    publicDir: false,
    plugins: [engine(), plainFiles()],
    build: {
      target: "es2022",
      // The two builds share the folder; the page has a folder of its own in it.
      emptyOutDir: false,
      lib: { entry, formats: ["es"], fileName: mode },
      // Readable: whoever uses the package minifies it with the rest of the page.
      minify: mode === "worker",
    },
  };
});
