// The CPU's executor: a module with a memory of its own, and its threads. What goes in and out are messages that
// Rust writes and reads (crate/puna-cpu/src/wire.rs).

import { type CpuExports, instantiate } from "./cpu_imports.js";
import { MessageModule } from "./message_module.js";
import type { Threads } from "./threads.js";

/** Kernels keep next to nothing on it. */
const STACK_BYTES = 256 << 10;

/** A module that runs. */
export class CpuModule extends MessageModule<CpuExports> {
  /** Threads that it may have, its own among them. */
  readonly threads: number;
  /** Why it may have no more. */
  readonly limited: string | undefined;
  readonly #module: WebAssembly.Module;
  readonly #threads: Threads;

  private constructor(parts: CpuParts, exports: CpuExports, threads: Threads) {
    super(parts.memory, exports, "the CPU's");
    this.threads = parts.threads;
    this.limited = parts.limited;
    this.#module = parts.module;
    this.#threads = threads;
  }

  static async start(parts: CpuParts, threads: Threads): Promise<CpuModule> {
    return new CpuModule(parts, await instantiate(parts.module, parts.memory), threads);
  }

  /** Bytes of its memory. */
  get memoryBytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** Puts a chunk where the next request looks for it. */
  putChunk(bytes: Uint8Array): void {
    this.bytes(this.exports.chunk_room(bytes.length), bytes.length).set(bytes);
  }

  /** A copy of floats. */
  floats(at: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, length).slice();
  }

  /** Starts the other threads; rejects unless all of them have started. */
  async startThreads(pool: number): Promise<void> {
    const starts = Array.from({ length: this.threads - 1 }, (_, before) => {
      const stack = this.exports.stack_room(STACK_BYTES);
      if (stack === 0) throw this.outOfMemory(STACK_BYTES);
      return {
        module: this.#module,
        memory: this.memory,
        pool,
        ix: before + 1,
        stack: stack + STACK_BYTES,
      };
    });
    try {
      await Promise.all(starts.map((start) => this.#threads.start(start)));
    } catch (error) {
      this.endThreads();
      throw error;
    }
  }

  /** Ends the other threads. */
  endThreads(): void {
    this.#threads.end();
  }
}

/** What a module is made of. */
export interface CpuParts {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  threads: number;
  limited: string | undefined;
}
