// llama.cpp natively, by node-llama-cpp: the program that ../process.mjs starts and talks to.
//
//   node llama.mjs MODEL THREADS END_ID[,END_ID]
import readline from "node:readline";
import { getLlama, TokenBias } from "node-llama-cpp";

const [path, threads, endIds] = process.argv.slice(2);
const say = (event, facts = {}) => process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);

const start = performance.now();
const llama = await getLlama({ gpu: false, build: "never", maxThreads: Number(threads) });
const model = await llama.loadModel({ modelPath: path });
const context = await model.createContext({ contextSize: 2048, batchSize: 512, threads: Number(threads), flashAttention: true });
const sequence = context.getSequence();
const tokenBias = new TokenBias(model.tokenizer);
for (const id of endIds.split(",")) tokenBias.set(Number(id), "never");
say("ready", { ms: performance.now() - start, facts: { threads: context.currentThreads, release: llama.llamaCppRelease.release } });

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { prompt, tokens } = JSON.parse(line);
  await sequence.clearHistory();
  const start = performance.now();
  const prompted = model.tokenize(prompt, true);
  const ids = [];
  let first, last;
  for await (const id of sequence.evaluate(prompted, { temperature: 0, tokenBias, yieldEogToken: true })) {
    last = performance.now();
    if (ids.push(id) === 1) {
      first = last;
      say("first");
    }
    if (ids.length === tokens) break;
  }
  const answer = { promptTokens: prompted.length, tokens: ids.length, text: model.detokenize(ids, true) };
  say("done", { answer: { ...answer, firstMs: first - start, decodeMs: last - first } });
}
await llama.dispose();
