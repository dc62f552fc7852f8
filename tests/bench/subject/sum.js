// What nothing is faster than that reads all weights for each token: a token is the sum of all bytes of the model's file, by
// the module that has Puna's kernels.

const MODULE = "/cpu-test/puna_cpu_relaxed.wasm";

let summers;

export async function load(weights, { threads }) {
  const count = threads ?? navigator.hardwareConcurrency;
  const bytes = await (await fetch(weights)).arrayBuffer();
  const module = await WebAssembly.compileStreaming(fetch(MODULE));
  // Vectors of 16 bytes, of which none is left over but the file's last.
  const part = Math.ceil(bytes.byteLength / 16 / count) * 16;
  summers = await Promise.all(Array.from({ length: count }, (_, ix) => start(module, bytes.slice(ix * part, (ix + 1) * part))));
  return { threads: count };
}

/** A worker that has summed its part once, and rightly. */
async function start(module, bytes) {
  const worker = new Worker("/bench/subject/sum_worker.js", { type: "module" });
  const ask = (message, transfer = []) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(message, transfer);
    });
  const whole = new Uint8Array(bytes, 0, bytes.byteLength - (bytes.byteLength % 16));
  const want = whole.reduce((sum, byte) => (sum + byte) >>> 0, 0);
  const got = await ask({ module, bytes }, [bytes]);
  if (got !== want) throw new Error(`the sum of the bytes is ${got}, expected ${want}`);
  return ask;
}

const sum = (times) => Promise.all(summers.map((ask) => ask({ times })));

export async function ask(_prompt, tokens, onToken) {
  await sum(1);
  onToken();
  await sum(tokens - 1);
  onToken();
  return { promptTokens: 0, tokens, text: "" };
}
