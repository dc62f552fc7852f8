// The demo page, and the unit tests. `--mode fake` takes an engine that only pretends, for work on the page
// where there is no wasm or no GPU.

import { fileURLToPath } from "node:url";

import { defineConfig } from "vitest/config";

import { contentPolicy } from "./build/policy.js";
import { engine } from "./build/engine.js";
import { offline } from "./build/offline.js";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ mode }) => {
  const isFake = mode === "fake";
  const engines = (): ReturnType<typeof engine>[] => [engine(isFake ? at("test/fake/engine.ts") : undefined)];
  return {
    root: at("demo"),
    // Relative: the page works in any folder of any host.
    base: "./",
    plugins: [...engines(), contentPolicy(), offline()],
    worker: { format: "es", plugins: engines },
    build: {
      target: "es2022",
      outDir: at(isFake ? "dist/demo-fake" : "dist/demo"),
      emptyOutDir: true,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: { index: at("demo/index.html"), sw: at("demo/offline.ts") },
        // A service worker is known by its address, which must not change.
        output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
      },
    },
    test: {
      root: at("."),
      include: ["test/**/*.test.ts"],
    },
  };
});
