// What the CPU's module asks of JavaScript, on its own thread and on the others.

import { type MessageExports, panicked } from "./message_module.js";

/** The functions that the module exports (crate/puna-cpu/src/wasm.rs). Addresses are bytes; 0 is none. */
export interface CpuExports extends MessageExports {
  chunk_room(bytes: number): number;
  stack_room(bytes: number): number;
  serve(pool: number, ix: number): void;
  /** Only where memory is shared. */
  __stack_pointer?: WebAssembly.Global<"i32">;
}

/** Starts the module on a memory. */
export async function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Promise<CpuExports> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory }, puna: imports(memory) });
  return exports as unknown as CpuExports;
}

function imports(memory: WebAssembly.Memory): Record<string, (...args: number[]) => void> {
  const words = (): Int32Array => new Int32Array(memory.buffer);
  return {
    wait(word = 0, value = 0, limitMs = -1) {
      Atomics.wait(words(), word >>> 2, value | 0, limitMs < 0 ? Infinity : limitMs);
    },
    wake(word = 0) {
      Atomics.notify(words(), word >>> 2);
    },
    panicked: panicked(memory, "the CPU executor"),
  };
}
