// Sums its bytes as often as it is told.

let exports;

onmessage = async ({ data: { module, bytes, times = 1 } }) => {
  if (module) {
    const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536 });
    const puna = { wait() {}, wake() {}, panicked() {} };
    ({ exports } = await WebAssembly.instantiate(module, { env: { memory }, puna }));
    const at = exports.chunk_room(bytes.byteLength);
    new Uint8Array(memory.buffer).set(new Uint8Array(bytes), at);
  }
  let sum;
  for (let time = 0; time < times; time++) sum = exports.sum_chunk() >>> 0;
  postMessage(sum);
};
