// The package, file by file: `--mode index` builds dist/index.js, `--mode worker` dist/worker.js and the wasm,
// `--mode thread` dist/thread.js; and for tests alone, `--mode cpu` dist/test/cpu.js, by which they start the CPU's
// executor, and `--mode clients` dist/test/X.js of each client of hosted APIs, with what they have in common apart.

import { defineConfig } from "vite";

import { engine, plainFiles } from "./build/engine.js";

const ENTRIES: Readonly<Record<string, string | Readonly<Record<string, string>>>> = {
  index: "src/index.ts",
  worker: "src/worker/main.ts",
  thread: "src/worker/thread.ts",
  cpu: "test/browser/cpu.ts",
  clients: {
    openai: "test/browser/openai.ts",
    anthropic: "test/browser/anthropic.ts",
    ai_sdk: "test/browser/ai_sdk.ts",
    langchain: "test/browser/langchain.ts",
    zod: "test/browser/zod.ts",
  },
};

export default defineConfig(({ mode }) => {
  const entry = ENTRIES[mode];
  if (entry === undefined) throw new Error(`--mode ${mode}: expected ${Object.keys(ENTRIES).join(" or ")}`);
  const isTest = mode === "cpu" || mode === "clients";
  return {
    publicDir: false,
    plugins: [engine(), plainFiles(isTest ? "../" : "./")],
    build: {
      target: "es2022",
      outDir: isTest ? "dist/test" : "dist",
      // The index is built first; the worker, the types and the page join it.
      emptyOutDir: mode === "index",
      lib: {
        entry,
        formats: ["es"],
        fileName: (_, name) => `${typeof entry === "string" ? mode : name}.js`,
      },
      // The index stays readable, for a page's own build minifies it; nobody does that to the workers.
      rolldownOptions: { output: { minify: mode !== "index" } },
    },
  };
});
