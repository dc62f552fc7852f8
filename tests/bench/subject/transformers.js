// transformers.js, on ONNX Runtime's wasm or WebGPU.
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  env,
  LogitsProcessor,
  LogitsProcessorList,
} from "/modules/@huggingface/transformers/dist/transformers.min.js";

let model;
let tokenizer;
let endless;

/** Keeps an answer from ending: none of these tokens is ever the likeliest. */
class Never extends LogitsProcessor {
  constructor(ids) {
    super();
    this.ids = ids;
  }

  _call(_, logits) {
    for (const row of logits) for (const id of this.ids) row.data[id] = -Infinity;
    return logits;
  }
}

export async function load(weights, { gpu, threads, dtype, endIds }) {
  const { pathname } = new URL(weights);
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = "/";
  // The build that it would fetch from elsewhere, from here.
  const { wasm } = env.backends.onnx;
  const name = wasm.wasmPaths.wasm.split("/").at(-1);
  const build = `${location.origin}/modules/onnxruntime-web/dist/${name}`;
  wasm.wasmPaths = { wasm: build, mjs: build.replace(/wasm$/, "mjs") };
  wasm.numThreads = threads ?? navigator.hardwareConcurrency;
  const id = pathname.slice(1);
  [tokenizer, model] = await Promise.all([
    AutoTokenizer.from_pretrained(id),
    AutoModelForCausalLM.from_pretrained(id, { device: gpu ? "webgpu" : "wasm", dtype }),
  ]);
  endless = new LogitsProcessorList();
  endless.push(new Never(endIds));
  return { threads: wasm.numThreads, build: name, dtype, release: env.version };
}

export async function ask(prompt, tokens, onToken) {
  const inputs = tokenizer(prompt, { add_special_tokens: false });
  const ids = [];
  let isPrompt = true;
  const streamer = {
    put([row]) {
      // The prompt comes first, as one.
      if (isPrompt) {
        isPrompt = false;
        return;
      }
      ids.push(...row);
      onToken();
    },
    end() {},
  };
  await model.generate({ ...inputs, max_new_tokens: tokens, do_sample: false, streamer, logits_processor: endless });
  return { promptTokens: inputs.input_ids.dims.at(-1), tokens: ids.length, text: tokenizer.decode(ids) };
}
