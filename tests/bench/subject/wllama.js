// wllama: llama.cpp compiled to wasm, with its WebGPU backend or without.
import { Wllama } from "/modules/@wllama/wllama/esm/index.js";

let wllama;

export async function load(weights, { gpu, threads }) {
  const silent = () => {};
  wllama = new Wllama(
    { default: "/modules/@wllama/wllama/esm/wasm/wllama.wasm" },
    { logger: { debug: silent, log: silent, warn: console.warn, error: console.error } },
  );
  await wllama.loadModelFromUrl(weights, {
    n_ctx: 2048,
    ...(!gpu && { n_gpu_layers: 0 }),
    n_parallel: 1,
    n_threads: threads ?? navigator.hardwareConcurrency,
    flash_attn: true,
  });
  return { threads: wllama.getNumThreads(), release: Wllama.getLibllamaVersion() };
}

export async function ask(prompt, tokens, onToken) {
  const stream = await wllama.createCompletion({
    prompt,
    max_tokens: tokens,
    temperature: 0,
    ignore_eos: true,
    cache_prompt: false,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let usage;
  for await (const chunk of stream) {
    const piece = chunk.choices?.[0]?.text;
    if (piece) {
      text += piece;
      onToken();
    }
    usage = chunk.usage ?? usage;
  }
  return { promptTokens: usage.prompt_tokens, tokens: usage.completion_tokens, text };
}
