// Puna, by its package.
import { load as loadModel } from "/package/index.js";
import { delayReadbacks } from "/late/late_readback.js";

/** The prompt is the message's text and nothing else. */
const PLAIN_TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}";

/** What goes on for as long as it is asked to, with few parts that need not be drawn. */
const LIST = { type: "array", items: { type: "string" }, minItems: 10_000 };

let model;
let more;

export async function load(weights, { gpu, threads, poke, readbackDelayMs, endIds, held }) {
  const kind = gpu ? "webgpu" : "cpu";
  if (readbackDelayMs) delayReadbacks(readbackDelayMs);
  model = await loadModel(weights, {
    device: kind,
    chatTemplate: PLAIN_TEMPLATE,
    advanced: { threads, poke },
  });
  more = held
    ? { response_format: { type: "json_schema", json_schema: { name: "list", schema: LIST } } }
    : { logit_bias: Object.fromEntries(endIds.map((id) => [id, -100])) };
  const { device } = model.info;
  if (device.kind !== kind) throw new Error(`Puna runs on ${device.kind}, not on ${kind}`);
  return { device };
}

/** The counters, when the fastest shaders are known. */
async function settled() {
  for (;;) {
    const counters = await model.counters();
    if (counters.untuned === 0) return counters;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function ask(prompt, tokens, onToken) {
  const before = await settled();
  const stream = await model.chat.completions.create({
    messages: [{ role: "user", content: prompt }],
    temperature: 0,
    max_tokens: tokens,
    ...more,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let usage;
  for await (const chunk of stream) {
    const delta = chunk.choices[0]?.delta.content;
    if (delta) {
      text += delta;
      onToken();
    }
    usage = chunk.usage ?? usage;
  }
  const cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  if (cached > 0) throw new Error(`${cached} tokens of the prompt came from the last one: its prefill is not measured`);
  const after = await model.counters();
  const made = (what) => after[what] - before[what];
  return {
    promptTokens: usage.prompt_tokens,
    tokens: usage.completion_tokens,
    text,
    gpu: model.device.kind === "webgpu" ? { steps: made("steps"), dispatches: made("dispatches"), submits: made("submits") } : null,
  };
}
