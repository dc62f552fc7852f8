// Runs a model on the CPU's executor and holds its logits to those that an independent implementation recorded.
// A worker, as in the package: on a page's own thread nothing may sleep.
import init, { Engine } from "/conformance/puna_web.js";
import { CpuHost, Threads } from "/package/test/cpu.js";

/** Tokens of a call. */
const CHUNK = 64;

const warnings = [];
const threads = new Threads(globalThis);
const host = new CpuHost(globalThis, threads, (message) => warnings.push(message));

/** The most that one of the largest logits is off, by prompt. */
async function worst(engine, prompts) {
  const result = {};
  for (const [name, { ids, exact }] of Object.entries(prompts)) {
    let logits;
    for (let at = 0; at < ids.length; at += CHUNK) {
      logits = await engine.forward(at, new Uint32Array(ids.slice(at, at + CHUNK)), false);
    }
    result[name] = Math.max(...exact.top.map(([id, want]) => Math.abs(logits[id] - want)));
  }
  return result;
}

/** The mean negative log likelihood of each next token, in nats. */
async function meanNll(engine, ids) {
  let total = 0;
  for (let at = 0; at < ids.length; at += CHUNK) {
    const chunk = ids.slice(at, at + CHUNK);
    const logits = await engine.forward(at, new Uint32Array(chunk), true);
    const vocab = logits.length / chunk.length;
    for (let t = 0; t < chunk.length && at + t + 1 < ids.length; t++) {
      const row = logits.subarray(t * vocab, (t + 1) * vocab);
      const highest = row.reduce((a, b) => Math.max(a, b));
      const sum = row.reduce((sum, x) => sum + Math.exp(x - highest), 0);
      total += highest + Math.log(sum) - row[ids[at + t + 1]];
    }
  }
  return total / (ids.length - 1);
}

async function run({ url, options, prompts, ids }) {
  await init();
  const engine = await Engine.load(JSON.stringify({ device: "cpu", ...options }), url, [], undefined, undefined, host);
  return {
    device: JSON.parse(engine.info()).device,
    worst: await worst(engine, prompts),
    meanNll: await meanNll(engine, ids),
    warnings,
  };
}

onmessage = async ({ data }) => {
  if (data.kind === "thread") return threads.report(data);
  try {
    postMessage({ value: await run(data) });
  } catch (error) {
    postMessage({ error: String(error?.message ?? error) });
  }
};
