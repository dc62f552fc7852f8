import { describe, expect, it, vi } from "vitest";

import { PunaError, UnsupportedDeviceError } from "../src/errors.js";
import { WorkerClient } from "../src/worker/client.js";
import { CpuModule, type CpuParts } from "../src/worker/cpu_module.js";
import { chooseBuild, runs } from "../src/worker/simd.js";
import { ThreadHost, type ThreadWorker } from "../src/worker/thread_host.js";
import { Threads } from "../src/worker/threads.js";
import { rejectionOf } from "./support.js";

/** An engine that has fixed-width SIMD alone: it knows the shorter probe. */
const plain = (module: BufferSource): boolean => module.byteLength < 40;

describe("the build of the CPU's module", () => {
  it("is probed by modules that are well-formed", () => {
    // Node has SIMD, and may have the relaxed instructions.
    expect(runs("simd128", (module) => WebAssembly.validate(module))).toBe(true);
    const broken = (module: BufferSource): boolean =>
      WebAssembly.validate(new Uint8Array(module as ArrayBuffer).slice(0, -1));
    expect(runs("simd128", broken)).toBe(false);
  });

  it("is the best that the browser runs", () => {
    expect(chooseBuild(undefined, () => true)).toBe("relaxed");
    expect(chooseBuild(undefined, plain)).toBe("simd128");
    expect(chooseBuild("simd128", () => true)).toBe("simd128");
  });

  it("is refused by name, with the browsers that have it", () => {
    const refused = (wanted?: "relaxed"): UnsupportedDeviceError => {
      try {
        chooseBuild(wanted, wanted === undefined ? () => false : plain);
      } catch (error) {
        return error as UnsupportedDeviceError;
      }
      throw new Error("it was not refused");
    };
    expect(refused()).toBeInstanceOf(UnsupportedDeviceError);
    expect(refused().details).toEqual({ reason: "no_simd" });
    for (const browser of ["Chrome", "Edge 91", "Firefox 89", "Safari 16.4"]) {
      expect(refused().message).toContain(browser);
    }
    expect(refused("relaxed").message).toContain("advanced.simd");
  });
});

describe("threads of the CPU's module", () => {
  type Listener = (event: { message: string }) => void;

  /** A thread's worker, which does as it is told when it is started. */
  class Thread implements ThreadWorker {
    isEnded = false;
    readonly #listeners = new Map<string, Listener>();
    readonly #does: "serves" | "fails" | "hangs";

    constructor(does: "serves" | "fails" | "hangs") {
      this.#does = does;
    }

    postMessage(port: MessagePort): void {
      queueMicrotask(() => {
        if (this.#does === "serves") port.postMessage("serves");
        if (this.#does === "fails") this.#listeners.get("error")?.({ message: "no such file" });
      });
    }

    addEventListener(type: string, listener: Listener): void {
      this.#listeners.set(type, listener);
    }

    terminate(): void {
      this.isEnded = true;
    }

    /** Fails after it has served. */
    die(): void {
      this.#listeners.get("error")?.({ message: "died" });
    }
  }

  /** A module that has room for stacks and nothing else: `(func (export "stack_room") (param i32) (result i32) i32.const 8)`. */
  const STACKS = new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f],
    ...[3, 2, 1, 0],
    ...[7, 14, 1, 10, ...new TextEncoder().encode("stack_room"), 0, 0],
    ...[10, 6, 1, 4, 0, 0x41, 8, 0x0b],
  ]);

  /** A module whose page starts these threads. */
  const start = (threads: Thread[], startWorker?: () => ThreadWorker): Promise<CpuModule> => {
    const waiting = [...threads];
    const host = new ThreadHost(startWorker ?? (() => waiting.shift() as ThreadWorker), (report) => {
      engine.report(report);
    });
    const engine = new Threads({
      postMessage: (request) => {
        host.handle(request);
      },
    });
    const parts: CpuParts = {
      module: new WebAssembly.Module(STACKS),
      memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
      threads: threads.length + 1,
      limited: undefined,
    };
    return CpuModule.start(parts, engine);
  };
  const ended = (threads: Thread[]): boolean[] => threads.map(({ isEnded }) => isEnded);

  it("are ended together", async () => {
    const threads = [new Thread("serves"), new Thread("serves")];
    const module = await start(threads);
    await module.startThreads(1);
    expect(ended(threads)).toEqual([false, false]);
    module.endThreads();
    expect(ended(threads)).toEqual([true, true]);
  });

  it("are all ended when one does not start", async () => {
    const threads = [new Thread("serves"), new Thread("fails")];
    const module = await start(threads);
    const error = (await rejectionOf(module.startThreads(1))) as Error;
    expect(error.message).toMatch(/did not start: no such file/);
    expect(ended(threads)).toEqual([true, true]);
  });

  it("are refused where the page may not start any", async () => {
    const module = await start([new Thread("serves")], () => {
      throw new Error("forbidden by a policy");
    });
    const error = (await rejectionOf(module.startThreads(1))) as Error;
    expect(error.message).toContain("forbidden by a policy");
  });

  it("are given up when they take too long, and may fail later", async () => {
    vi.useFakeTimers();
    try {
      const threads = [new Thread("hangs"), new Thread("serves")];
      const module = await start(threads);
      const failure = rejectionOf(module.startThreads(1));
      await vi.advanceTimersByTimeAsync(10_000);
      expect(((await failure) as Error).message).toContain("not within 10 s");
      expect(ended(threads)).toEqual([true, true]);
      for (const thread of threads) thread.die();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("the threads of a model", () => {
  /** A client whose worker asks for a thread whenever it is told to, and the threads that there were. */
  const client = (): { client: WorkerClient; ask: () => void; areEnded: boolean[] } => {
    let receive: (event: { data: unknown; message?: string }) => void = () => undefined;
    const worker = {
      postMessage: () => undefined,
      terminate: () => undefined,
      addEventListener: (type: string, listener: typeof receive) => {
        if (type === "message") receive = listener;
      },
    };
    const areEnded: boolean[] = [];
    const startWorker = (): ThreadWorker => {
      const ix = areEnded.push(false) - 1;
      return {
        postMessage: () => undefined,
        addEventListener: () => undefined,
        terminate: () => {
          areEnded[ix] = true;
        },
      };
    };
    const ask = (): void => {
      receive({ data: { kind: "start_thread", thread: 1, port: {} } });
    };
    return { client: new WorkerClient(worker, undefined, startWorker), ask, areEnded };
  };

  it("end with its worker", () => {
    const { client: of, ask, areEnded } = client();
    ask();
    ask();
    expect(areEnded).toEqual([false, false]);
    of.close(new PunaError("internal", "gone"));
    expect(areEnded).toEqual([true, true]);
  });

  it("are not started when the worker was ended meanwhile", () => {
    const { client: of, ask, areEnded } = client();
    of.close(new PunaError("internal", "gone"));
    ask();
    expect(areEnded).toEqual([]);
  });
});
