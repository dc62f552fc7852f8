// The package, file by file: `--mode index` builds dist/index.js, `--mode worker` dist/worker.js and the wasm,
// `--mode thread` dist/thread.js, `--mode prompt-api` the Prompt API, `--mode sw` and `--mode sw-page` the two halves of the
// service worker, and `--mode sw.classic` the first of them as a script for `importScripts`; and for tests alone, `--mode cpu` dist/test/cpu.js, by which they start the CPU's
// executor, and `--mode clients` dist/test/X.js of each client of hosted APIs, with what they have in common apart.

import { defineConfig } from "vite";

import { besideIndex, engine, plainFiles, quotedWorkers } from "./build/engine.js";

const ENTRIES: Readonly<Record<string, string | Readonly<Record<string, string>>>> = {
  index: "src/index.ts",
  worker: "src/worker/main.ts",
  thread: "src/worker/thread.ts",
  sw: "src/sw.ts",
  "sw.classic": "src/sw.ts",
  "sw-page": "src/sw-page.ts",
  client: "src/client.ts",
  "prompt-api": "src/prompt_api/index.ts",
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
  const isClassic = mode === "sw.classic";
  return {
    publicDir: false,
    plugins: [engine(), plainFiles(isTest ? "../" : "./"), besideIndex(mode), quotedWorkers(mode)],
    build: {
      target: "es2022",
      outDir: isTest ? "dist/test" : "dist",
      // The index is built first; the worker, the types and the page join it.
      emptyOutDir: mode === "index",
      lib: {
        entry,
        formats: [isClassic ? "iife" : "es"],
        fileName: (_, name) => `${typeof entry === "string" ? mode : name}.js`,
        name: "puna",
      },
      // Nobody does that to what comes from a CDN, nor to the workers.
      rolldownOptions: { output: { minify: true } },
    },
  };
});
