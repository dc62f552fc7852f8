// Starts the CPU's executor: which of its builds, on which kind of memory, with how many threads.

import { CpuModule } from "./cpu_module.js";
import { compile } from "./message_module.js";
import { type SimdBuild, chooseBuild } from "./simd.js";
import type { Threads } from "./threads.js";

/** More threads than this have not been seen to help: memory is what a token waits for. */
const MOST_THREADS = 8;
const PAGE_BYTES = 65_536;
/** Holds the module's own data and its stack. */
const FIRST_PAGES = 64;

/** Where the builds lie. */
const FILES: Readonly<Record<SimdBuild, Readonly<Record<"alone" | "threads", () => URL>>>> = {
  simd128: {
    alone: () => new URL("../../pkg-cpu/puna_cpu_simd128.wasm", import.meta.url),
    threads: () => new URL("../../pkg-cpu/puna_cpu_simd128_threads.wasm", import.meta.url),
  },
  relaxed: {
    alone: () => new URL("../../pkg-cpu/puna_cpu_relaxed.wasm", import.meta.url),
    threads: () => new URL("../../pkg-cpu/puna_cpu_relaxed_threads.wasm", import.meta.url),
  },
};

/** What is asked of the worker's globals. */
export interface CpuScope {
  crossOriginIsolated: boolean;
  navigator: { hardwareConcurrency?: number };
}

/** What the engine is given to start the executor by. */
export class CpuHost {
  readonly #scope: CpuScope;
  readonly #threads: Threads;
  /** Tells the page something worth knowing. */
  readonly warn: (message: string) => void;

  constructor(scope: CpuScope, threads: Threads, warn: (message: string) => void) {
    this.#scope = scope;
    this.#threads = threads;
    this.warn = warn;
  }

  /** Fetches and starts the module; `threads` 0 leaves the number to the machine. */
  async start(simd: SimdBuild | undefined, threads: number, memoryBytes: number): Promise<CpuModule> {
    const build = chooseBuild(simd, (bytes) => WebAssembly.validate(bytes));
    const { wanted, limited } = this.#number(threads);
    const maximum = Math.ceil(memoryBytes / PAGE_BYTES);
    const shared = wanted > 1 ? this.#sharedMemory(maximum) : undefined;
    const parts = {
      module: await compile(FILES[build][shared === undefined ? "alone" : "threads"](), "the CPU executor"),
      memory: shared ?? new WebAssembly.Memory({ initial: FIRST_PAGES, maximum }),
      threads: shared === undefined ? 1 : wanted,
      limited: shared === undefined && wanted > 1 ? "shared memory was refused" : limited,
    };
    return CpuModule.start(parts, this.#threads);
  }

  /** How many threads there may be. */
  #number(asked: number): { wanted: number; limited: string | undefined } {
    const { crossOriginIsolated, navigator } = this.#scope;
    const wanted = asked > 0 ? asked : Math.min(navigator.hardwareConcurrency ?? 1, MOST_THREADS);
    if (wanted === 1 || crossOriginIsolated) return { wanted, limited: undefined };
    const limited =
      "the page is not cross-origin isolated: it takes the headers Cross-Origin-Opener-Policy: same-origin and " +
      "Cross-Origin-Embedder-Policy: require-corp";
    if (asked > 1) this.warn(`one thread in place of ${asked}: ${limited}`);
    return { wanted: 1, limited };
  }

  #sharedMemory(maximum: number): WebAssembly.Memory | undefined {
    try {
      return new WebAssembly.Memory({ initial: FIRST_PAGES, maximum, shared: true });
    } catch (error) {
      this.warn(`the CPU executor goes on with one thread: shared memory was refused: ${String(error)}`);
      return undefined;
    }
  }
}
