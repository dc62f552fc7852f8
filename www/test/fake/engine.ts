// An engine that only pretends, with the face of the wasm's. It answers with a text it knows, at the pace and
// with the failures that the model's address asks for: `fake.gguf?chunk_ms=20&fail=network`. For work on the
// page and for tests of what surrounds the engine; nothing that is shipped imports it.

import type { InspectModel, WasmEngine, WasmEngineClass, WasmProgress } from "../../src/worker/wasm.js";
import { ANSWER } from "./answer.js";
import { FAILURES } from "./failures.js";

/** What the address asks for. */
interface Script {
  /** A failure of the load, by its code. */
  fail: string | null;
  /** A failure of each answer after its first chunks. */
  failChat: string | null;
  loadMs: number;
  /** Steps of the load, each of which tells its progress. */
  steps: number;
  chunkMs: number;
  cached: boolean;
  software: boolean;
  /** Kinds of projections whose shaders want to be timed, a millisecond each. */
  untuned: number;
  /** Answers that it makes at a time. */
  parallel: number;
}

interface FakeOptions {
  context_length?: number;
  adapters?: { name?: string; scale: number }[];
}

interface FakeRequest {
  messages?: { role?: string; content?: string }[];
  stream?: boolean;
  max_tokens?: number | null;
  max_completion_tokens?: number | null;
  stream_options?: { include_usage?: boolean };
}

const TOTAL_BYTES = 98_362_432;
const HEADER_BYTES = 1_700_000;

/** The engine's class. */
export const Engine: WasmEngineClass = {
  async load(options, source, _adapters, onProgress, signal) {
    const script = scriptOf(
      typeof source === "string" ? new URL(source).searchParams : new URLSearchParams(),
    );
    const { steps } = script;
    for (let step = 0; step <= steps; step++) {
      await pause(script.loadMs / steps, signal);
      if (script.fail !== null && step === Math.floor(steps / 2)) throw failureOf(script.fail);
      onProgress(progressAt(step / steps, script.cached));
    }
    return new FakeEngine(script, JSON.parse(options) as FakeOptions);
  },
};

/** What the cache pretends to hold: a model, and half of another. */
const stored = [
  {
    url: "https://models.example.org/smollm2-135m-instruct.gguf",
    file_bytes: TOTAL_BYTES,
    stored_bytes: TOTAL_BYTES,
    is_complete: true,
  },
  {
    url: "https://models.example.org/half/manifest.json",
    file_bytes: 1_000_000_000,
    stored_bytes: 500_000_000,
    is_complete: false,
  },
];

/** The glue's function; `?fail=` makes it fail, `?refuse=` makes the device unable. */
export const inspect_model: InspectModel = async (options, source, _fallsBack, _refused, signal) => {
  const script = scriptOf(typeof source === "string" ? new URL(source).searchParams : new URLSearchParams());
  await pause(script.loadMs, signal);
  if (script.fail !== null) throw failureOf(script.fail);
  const { context_length = 8192 } = JSON.parse(options) as { context_length?: number };
  const refusal = script.failChat === null ? null : { code: script.failChat, ...FAILURES[script.failChat] };
  return JSON.stringify({
    id: "smollm2-135m-instruct.gguf",
    format: "GGUF v3",
    file_bytes: TOTAL_BYTES,
    network_bytes: HEADER_BYTES,
    embedding_dimensions: null,
    metadata: { "general.file_type": 3, "llama.context_length": 8192 },
    types: [{ name: "Q4_1", bits_per_weight: 5 }],
    device: {
      kind: "webgpu",
      reason: "there is a GPU",
      can_run: refusal === null,
      context_length: refusal === null ? context_length : null,
      problem: refusal,
    },
  });
};

/** The glue's function. */
export const list_models = (): Promise<string> => Promise.resolve(JSON.stringify(stored));

/** The glue's function; `?fail=` in the address makes it fail. */
export async function remove_model(url: string): Promise<boolean> {
  const { fail } = scriptOf(new URL(url).searchParams);
  if (fail !== null) throw failureOf(fail);
  await pause(0, undefined);
  const ix = stored.findIndex((model) => model.url === url);
  if (ix !== -1) stored.splice(ix, 1);
  return ix !== -1;
}

/** Starts nothing. */
const init = (): Promise<unknown> => Promise.resolve();
export default init;

class FakeEngine implements WasmEngine {
  readonly #script: Script;
  readonly #contextLength: number;
  readonly #adapters: { name: string }[];
  #isBusy = false;
  #answers = 0;
  #steps = 0;
  #untuned: number;
  #responses = 0;

  constructor(script: Script, options: FakeOptions) {
    this.#script = script;
    this.#untuned = script.untuned;
    this.#contextLength = options.context_length ?? 8192;
    const adapters = options.adapters ?? [];
    this.#adapters = adapters.map(({ name = "adapter", scale }) => ({ name, scale, rank: 8, targets: 60 }));
  }

  info(): string {
    const isSoftware = this.#script.software;
    return JSON.stringify({
      id: "smollm2-135m-instruct",
      name: "SmolLM2 135M Instruct",
      architecture: "llama",
      context_length: this.#contextLength,
      vocab_size: 49152,
      embedding_dimensions: null,
      file_bytes: TOTAL_BYTES,
      adapters: this.#adapters,
      device: {
        kind: "webgpu",
        reason: "there is a GPU",
        name: isSoftware ? "SwiftShader" : "NVIDIA GeForce RTX 4070",
        vendor: isSoftware ? "google" : "nvidia",
        architecture: isSoftware ? "swiftshader" : "lovelace",
        description: "",
        is_software: isSoftware,
        variant: "subgroup",
        precision: "f32",
        dispatches_per_layer: 5,
        features: ["subgroups", "timestamp-query"],
      },
    });
  }

  read(request: string): Promise<string> {
    const { messages = [] } = JSON.parse(request) as FakeRequest;
    return Promise.resolve(JSON.stringify({ ids: messages.map((_, ix) => ix), cached_tokens: 0 }));
  }

  save(ids: Uint32Array): Promise<Uint8Array<ArrayBuffer>> {
    return Promise.resolve(Uint8Array.from(ids));
  }

  restore(bytes: Uint8Array): Promise<string> {
    return Promise.resolve(JSON.stringify({ ids: [...bytes] }));
  }

  conversations(): number {
    return this.#script.parallel;
  }

  async tune(signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#isBusy || this.#answers > 0) throw thrown("busy", "shaders are timed while it answers");
    if (this.#untuned === 0) return false;
    this.#isBusy = true;
    await pause(1, undefined);
    this.#isBusy = false;
    if (signal?.aborted === true) return false;
    this.#untuned--;
    return true;
  }

  async chat(
    request: string,
    onChunk: (json: string) => void,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    if (this.#isBusy || this.#answers >= this.#script.parallel)
      throw thrown("busy", "too many requests at once");
    this.#answers++;
    try {
      return await this.#answer(JSON.parse(request) as FakeRequest, onChunk, signal);
    } finally {
      this.#answers--;
    }
  }

  async complete(
    request: string,
    onChunk: (json: string) => void,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { prompt, stream } = JSON.parse(request) as { prompt?: string; stream?: boolean };
    if (prompt === undefined) throw thrown("invalid_request", "prompt: missing", { param: "prompt" });
    await pause(this.#script.chunkMs, signal);
    const part = (text: string, finish: string | null): string =>
      JSON.stringify({
        id: "cmpl-1",
        object: "text_completion",
        created: 1,
        model: "smollm2-135m-instruct",
        choices: [{ index: 0, text, finish_reason: finish, logprobs: null }],
      });
    if (stream !== true) return part(" and so on", "stop");
    onChunk(part(" and", null));
    onChunk(part(" so on", null));
    onChunk(part("", "stop"));
    return "";
  }

  /** It answers with the number of items that it was asked with. */
  async respond(
    request: string,
    onChunk: (json: string) => void,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { input, stream } = JSON.parse(request) as { input?: string | object[]; stream?: boolean };
    if (input === undefined) throw thrown("invalid_request", "input: missing", { param: "input" });
    await pause(this.#script.chunkMs, signal);
    const text = String(typeof input === "string" ? 1 : input.length);
    const id = String((this.#responses += 1));
    const content = [{ type: "output_text", text, annotations: [] }];
    const output = [{ id: `msg_${id}`, type: "message", role: "assistant", status: "completed", content }];
    const response = { id: `resp_${id}`, object: "response", status: "completed", output };
    if (stream !== true) return JSON.stringify(response);
    const created = { ...response, status: "in_progress", output: [] };
    onChunk(JSON.stringify({ type: "response.created", sequence_number: 0, response: created }));
    if (this.#script.failChat !== null) throw thrown(this.#script.failChat, "it failed");
    onChunk(JSON.stringify({ type: "response.completed", sequence_number: 1, response }));
    return "";
  }

  /** A token a character. */
  tokenize(_wire: string, request: string): string {
    const body = JSON.parse(request) as { text?: string } & FakeRequest;
    const texts = Array.from(body.text ?? body.messages?.map(({ content }) => content).join("") ?? "");
    return JSON.stringify({ ids: texts.map((text) => text.codePointAt(0)), texts });
  }

  set_adapters(scales: string): void {
    const asked = Object.keys(JSON.parse(scales) as object);
    const unknown = asked.find((name) => !this.#adapters.some((adapter) => adapter.name === name));
    if (unknown === undefined) return;
    throw thrown("invalid_request", `There is no adapter '${unknown}'`, { param: `adapters.${unknown}` });
  }

  detokenize(ids: Uint32Array): string {
    return String.fromCodePoint(...ids);
  }

  async score(request: string, signal: AbortSignal | undefined): Promise<string> {
    const told = JSON.parse(this.tokenize("", request)) as { ids: number[]; texts: string[] };
    await pause(this.#script.chunkMs, signal);
    const logprobs = told.ids.map((_, ix) => (ix === 0 ? null : -1));
    return JSON.stringify({ ...told, logprobs, logprob: 1 - told.ids.length, perplexity: Math.E });
  }

  message(): Promise<string> {
    return Promise.reject(thrown("invalid_request", "max_tokens: Field required", { param: "max_tokens" }));
  }

  async embed(request: string, signal: AbortSignal | undefined): Promise<string> {
    if (this.#isBusy || this.#answers > 0) throw thrown("busy", "too many requests at once");
    this.#isBusy = true;
    try {
      const { input, model } = JSON.parse(request) as { input?: string[]; model?: string };
      if (input === undefined) throw thrown("invalid_request", "input: missing", { param: "input" });
      await pause(this.#script.chunkMs, signal);
      const data = input.map((_, index) => ({ object: "embedding", index, embedding: [0.6, 0.8] }));
      const usage = { prompt_tokens: 2 * input.length, total_tokens: 2 * input.length };
      return JSON.stringify({ object: "list", data, model: model ?? "smollm2-135m-instruct", usage });
    } finally {
      this.#isBusy = false;
    }
  }

  counters(): string {
    return JSON.stringify({
      buffers_created: 10,
      bind_groups_created: 10,
      pipelines_created: 5,
      steps: this.#steps,
      untuned: this.#untuned,
      dispatches: 0,
      submits: this.#steps,
      wasm_heap_bytes: 33_554_432,
    });
  }

  unload(): void {
    this.#steps = 0;
  }

  async #answer(
    request: FakeRequest,
    onChunk: (json: string) => void,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const last = request.messages?.at(-1);
    if (last === undefined) {
      throw thrown("invalid_request", "messages: expected at least one", { param: "messages" });
    }
    const failure = this.#script.failChat ?? /^\/fail (\w+)$/.exec(last.content ?? "")?.[1] ?? null;
    const pieces = piecesOf(last.content === "/count" ? countTo(40) : ANSWER);
    const most = request.max_completion_tokens ?? request.max_tokens ?? pieces.length;
    const head = { id: "chatcmpl-1", created: 1, model: "smollm2-135m-instruct" };
    const chunk = (delta: object, finish: string | null): string =>
      JSON.stringify({
        ...head,
        object: "chat.completion.chunk",
        choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
        usage: null,
      });

    let text = "";
    let made = 0;
    for (const piece of pieces.slice(0, most)) {
      await pause(this.#script.chunkMs, signal);
      if (failure !== null && made === 3) throw failureOf(failure);
      this.#steps++;
      if (request.stream === true && made === 0) onChunk(chunk({ role: "assistant", content: "" }, null));
      if (request.stream === true) onChunk(chunk({ content: piece }, null));
      text += piece;
      made++;
    }
    const finish = made < pieces.length ? "length" : "stop";
    const usage = {
      prompt_tokens: 31,
      completion_tokens: made,
      total_tokens: 31 + made,
      prompt_tokens_details: { cached_tokens: 0 },
    };
    if (request.stream === true) {
      onChunk(chunk({}, finish));
      if (request.stream_options?.include_usage === true) {
        onChunk(JSON.stringify({ ...head, object: "chat.completion.chunk", choices: [], usage }));
      }
      return "";
    }
    return JSON.stringify({
      ...head,
      object: "chat.completion",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: text, refusal: null },
          finish_reason: finish,
          logprobs: null,
        },
      ],
      usage,
    });
  }
}

function scriptOf(query: URLSearchParams): Script {
  return {
    fail: query.get("fail"),
    failChat: query.get("fail_chat"),
    loadMs: Number(query.get("load_ms") ?? "0"),
    steps: Number(query.get("steps") ?? "60"),
    chunkMs: Number(query.get("chunk_ms") ?? "0"),
    cached: query.has("cached"),
    software: query.has("software"),
    untuned: Number(query.get("untuned") ?? 0),
    parallel: Number(query.get("parallel") ?? 1),
  };
}

function progressAt(part: number, isCached: boolean): WasmProgress {
  const loaded = Math.round(HEADER_BYTES + (TOTAL_BYTES - HEADER_BYTES) * part);
  return {
    stage: part === 0 ? "header" : part === 1 ? "ready" : "weights",
    loaded_bytes: loaded,
    total_bytes: TOTAL_BYTES,
    network_bytes: isCached ? 0 : loaded,
    cached_bytes: isCached ? loaded : 0,
  };
}

function failureOf(code: string): Error {
  if (code === "trap") return new WebAssembly.RuntimeError("unreachable");
  const failure = FAILURES[code];
  return thrown(code, failure?.message ?? `the fake failed as ${code}`, failure?.details);
}

/** What the wasm throws: an `Error` with the fields of the wire. */
function thrown(code: string, message: string, details: Record<string, unknown> = {}): Error {
  return Object.assign(new Error(message), { code, details });
}

function piecesOf(text: string): string[] {
  return text.match(/\s*\S{1,6}|\s+/g) ?? [];
}

function countTo(last: number): string {
  return Array.from({ length: last }, (_, ix) => String(ix + 1)).join(" ");
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (signal?.aborted === true) throw thrown("aborted", "stopped between two steps");
}

/** As the wasm's. */
export const is_software_adapter = (names: string): boolean => names.includes("swiftshader");
