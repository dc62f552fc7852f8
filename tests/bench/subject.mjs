// What can be measured: its name, what runs it, and what it reads.
import path from "node:path";

/** The tokens that end a text in SmolLM2: <|endoftext|> and <|im_end|>. An answer must not stop before it is timed. */
const END_IDS = [0, 2];

const GGUF = "/models/SmolLM2-135M-Instruct.Q4_1.gguf";
/** The token that ends a text in synthetic models, whose other tokens are bytes. */
const SYNTHETIC_END_IDS = [256];
const ONNX = "/onnx";

const puna = { family: "puna", own: true, module: "/bench/subject/puna.js", weights: GGUF, needs: ["gguf", "package"] };
const bound = { family: "bound", bound: true, module: "/bench/subject/sum.js", weights: GGUF, needs: ["gguf", "sum"] };
const punaGpu = { ...puna, gpu: true };
const wllama = { family: "wllama", module: "/bench/subject/wllama.js", weights: GGUF, needs: ["gguf"] };
const transformers = { family: "transformers.js", module: "/bench/subject/transformers.js", weights: ONNX, needs: ["gguf", "onnx"] };
const wllamaGpu = { ...wllama, gpu: true };
const transformersGpu = { ...transformers, gpu: true };
const nativePuna = { family: "puna", own: true, native: true, weights: GGUF, needs: ["gguf", "native"] };
const nativeLlama = { family: "llama.cpp", native: true, module: "subject/llama.mjs", weights: GGUF, needs: ["gguf"] };

/**
 * @typedef {object} Subject
 * @property {string} name  On the command line.
 * @property {string} title  In the tables.
 * @property {boolean} [own]  Puna itself: the others are its peers.
 * @property {string} [beside]  The one that does the same, but for what this is to show the cost of.
 * @property {boolean} [bound]  No model: what nothing is faster than that reads the weights for each token.
 * @property {boolean} [gpu]  On WebGPU.
 * @property {boolean} [native]  A process of its own, and no page.
 * @property {string} [module]  Its half in the page, or its program where it is native.
 * @property {string} weights  Where its weights are served.
 * @property {string} [gguf]  The file of a synthetic model; SmolLM2's where there is none.
 * @property {string[]} needs  What has to be made before it can run.
 * @property {object} options  Given to its module; `threads: null` is as many as it takes by itself or as there are cores.
 */

const subject = (name, title, kind, options) => ({ name, title, ...kind, options: { endIds: END_IDS, gpu: Boolean(kind.gpu), ...options } });

/** @type {Subject[]} */
export const SUBJECTS = [
  subject("puna-1", "Puna, 1 thread", puna, { threads: 1 }),
  subject("puna-all", "Puna, all threads", puna, { threads: null }),
  subject("puna-1-json", "Puna, 1 thread, JSON", { ...puna, beside: "puna-1" }, { threads: 1, held: true }),
  subject("sum-1", "summing the file, 1 thread", bound, { threads: 1 }),
  subject("sum-all", "summing the file, all threads", bound, { threads: null }),
  subject("wllama-1", "wllama, 1 thread", wllama, { threads: 1 }),
  subject("wllama-all", "wllama, all threads", wllama, { threads: null }),
  subject("transformers-q4-1", "transformers.js q4, 1 thread", transformers, { dtype: "q4", threads: 1 }),
  subject("transformers-q4-all", "transformers.js q4, all threads", transformers, { dtype: "q4", threads: null }),
  subject("transformers-q8-1", "transformers.js q8, 1 thread", transformers, { dtype: "q8", threads: 1 }),
  subject("transformers-q8-all", "transformers.js q8, all threads", transformers, { dtype: "q8", threads: null }),
  subject("puna-gpu", "Puna", punaGpu, {}),
  subject("puna-gpu-json", "Puna, JSON", { ...punaGpu, beside: "puna-gpu" }, { held: true }),
  subject("puna-gpu-late", "Puna, read-backs 100 ms late", punaGpu, { readbackDelayMs: 100 }),
  subject("puna-gpu-unpoked", "Puna, no poke", punaGpu, { poke: "off" }),
  subject("wllama-gpu", "wllama", wllamaGpu, { threads: null }),
  subject("transformers-gpu", "transformers.js q4", transformersGpu, { dtype: "q4", threads: null }),
  subject("native-puna-1", "Puna natively, 1 thread", nativePuna, { threads: 1 }),
  subject("native-puna-all", "Puna natively, all threads", nativePuna, { threads: null }),
  subject("native-llama-1", "llama.cpp natively, 1 thread", nativeLlama, { threads: 1 }),
  subject("native-llama-all", "llama.cpp natively, all threads", nativeLlama, { threads: null }),
];

/** The subjects of these names; without names those in the browser, on the GPU or without, and with `native` the others too. */
export function choose(names, { native, gpu, gguf = null }) {
  const known = gguf === null ? SUBJECTS : SUBJECTS.filter(({ weights }) => weights === GGUF).map((subject) => of(subject, gguf));
  if (names === null) return known.filter((subject) => (subject.native ? native : Boolean(subject.gpu) === gpu));
  return names.map((name) => {
    const found = known.find((subject) => subject.name === name);
    if (found) return found;
    throw new Error(`--subjects ${name}: no such subject; there are ${known.map((subject) => subject.name).join(", ")}`);
  });
}

/** A subject with a synthetic model in a file. */
function of(subject, gguf) {
  return {
    ...subject,
    gguf,
    weights: `/models/${path.basename(gguf)}`,
    needs: subject.needs.filter((need) => need !== "gguf"),
    options: { ...subject.options, endIds: SYNTHETIC_END_IDS },
  };
}
