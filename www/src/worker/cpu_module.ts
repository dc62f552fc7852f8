// The CPU's executor: a module with a memory of its own, and its threads. What goes in and out are messages that
// Rust writes and reads (crate/puna-cpu/src/wire.rs).

import { PunaError } from "../errors.js";
import { type CpuExports, instantiate } from "./cpu_imports.js";

/** What a thread is told. */
export interface ThreadStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  pool: number;
  ix: number;
  /** Where its stack ends, from which it grows down. */
  stack: number;
}

/** What a thread says when it is about to serve. */
export const READY = "ready";

/** Kernels keep next to nothing on it. */
const STACK_BYTES = 256 << 10;
/** How long threads may take to start. */
const START_MS = 10_000;

/** A worker, as it is used here. */
export type ThreadWorker = Pick<Worker, "postMessage" | "terminate" | "addEventListener">;

/** A module that runs. */
export class CpuModule {
  /** Threads that it may have, its own among them. */
  readonly threads: number;
  /** Why it may have no more. */
  readonly limited: string | undefined;
  readonly #module: WebAssembly.Module;
  readonly #memory: WebAssembly.Memory;
  readonly #exports: CpuExports;
  readonly #startWorker: () => ThreadWorker;
  #workers: ThreadWorker[] = [];

  private constructor(parts: CpuParts, exports: CpuExports) {
    this.threads = parts.threads;
    this.limited = parts.limited;
    this.#module = parts.module;
    this.#memory = parts.memory;
    this.#startWorker = parts.startWorker;
    this.#exports = exports;
  }

  static async start(parts: CpuParts): Promise<CpuModule> {
    return new CpuModule(parts, await instantiate(parts.module, parts.memory));
  }

  /** Bytes of its memory. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Asks, and gives a copy of the answer. */
  call(request: Uint8Array): Uint8Array {
    this.#bytes(this.#exports.request_room(request.length), request.length).set(request);
    const response = this.#exports.call();
    return this.#bytes(response, this.#exports.response_bytes()).slice();
  }

  /** Puts a chunk where the next request looks for it. */
  putChunk(bytes: Uint8Array): void {
    this.#bytes(this.#exports.chunk_room(bytes.length), bytes.length).set(bytes);
  }

  /** A copy of floats. */
  floats(at: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, at, length).slice();
  }

  /** Starts the other threads; rejects unless all of them have started. */
  async startThreads(pool: number): Promise<void> {
    const starting = [];
    for (let ix = 1; ix < this.threads; ix++) {
      const stack = this.#exports.stack_room(STACK_BYTES);
      if (stack === 0) throw outOfMemory(STACK_BYTES);
      const worker = this.#startWorker();
      this.#workers.push(worker);
      starting.push(started(worker));
      const start: ThreadStart = {
        module: this.#module,
        memory: this.#memory,
        pool,
        ix,
        stack: stack + STACK_BYTES,
      };
      worker.postMessage(start);
    }
    try {
      await Promise.all(starting);
    } catch (error) {
      this.endThreads();
      throw error;
    }
  }

  /** Ends the other threads. */
  endThreads(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
  }

  #bytes(at: number, length: number): Uint8Array {
    if (at === 0) throw outOfMemory(length);
    return new Uint8Array(this.#memory.buffer, at >>> 0, length);
  }
}

/** What a module is made of. */
export interface CpuParts {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  threads: number;
  limited: string | undefined;
  startWorker: () => ThreadWorker;
}

/** Waits for a thread to be ready. */
function started(worker: ThreadWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      reject(new PunaError("internal", why));
    };
    const timer = setTimeout(() => {
      fail(`a thread did not start within ${START_MS / 1000} s`);
    }, START_MS);
    const settle = (then: () => void) => () => {
      clearTimeout(timer);
      then();
    };
    worker.addEventListener("message", settle(resolve));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      const why = event.message || "its script could not be loaded";
      settle(() => {
        fail(`a thread did not start: ${why}; thread.js must lie beside worker.js`);
      })();
    });
  });
}

function outOfMemory(bytes: number): PunaError {
  return new PunaError(
    "out_of_memory",
    `the CPU's memory has no ${bytes} bytes left; close other tabs, or take a smaller model`,
    { details: { bytes } },
  );
}
