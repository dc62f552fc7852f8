import { describe, expect, it } from "vitest";

import { UnsupportedDeviceError } from "../src/errors.js";
import { CpuModule, READY, type CpuParts, type ThreadWorker } from "../src/worker/cpu_module.js";
import { chooseBuild, runs } from "../src/worker/simd.js";
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
  type Listener = (event: { message: string; preventDefault(): void }) => void;

  /** A worker that does as it is told when it is started. */
  class Thread {
    isEnded = false;
    readonly #listeners = new Map<string, Listener>();
    readonly #does: "starts" | "fails";

    constructor(does: "starts" | "fails") {
      this.#does = does;
    }

    postMessage(): void {
      queueMicrotask(() => {
        const event = { data: READY, message: "no such file", preventDefault: () => undefined };
        this.#listeners.get(this.#does === "starts" ? "message" : "error")?.(event);
      });
    }

    addEventListener(type: string, listener: Listener): void {
      this.#listeners.set(type, listener);
    }

    terminate(): void {
      this.isEnded = true;
    }
  }

  /** A module that has room for stacks and nothing else. */
  const STACKS = new Uint8Array([
    0,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    1,
    6,
    1,
    0x60,
    1,
    0x7f,
    1,
    0x7f,
    3,
    2,
    1,
    0,
    7,
    14,
    1,
    10,
    ...new TextEncoder().encode("stack_room"),
    0,
    0,
    10,
    6,
    1,
    4,
    0,
    0x41,
    8,
    0x0b,
  ]);

  const start = (threads: Thread[]): Promise<CpuModule> => {
    const waiting = [...threads];
    const parts: CpuParts = {
      module: new WebAssembly.Module(STACKS),
      memory: new WebAssembly.Memory({ initial: 1 }),
      threads: threads.length + 1,
      limited: undefined,
      startWorker: () => waiting.shift() as unknown as ThreadWorker,
    };
    return CpuModule.start(parts);
  };

  it("are ended together", async () => {
    const threads = [new Thread("starts"), new Thread("starts")];
    const module = await start(threads);
    await module.startThreads(1);
    expect(threads.map(({ isEnded }) => isEnded)).toEqual([false, false]);
    module.endThreads();
    expect(threads.map(({ isEnded }) => isEnded)).toEqual([true, true]);
  });

  it("are all ended when one does not start", async () => {
    const threads = [new Thread("starts"), new Thread("fails")];
    const module = await start(threads);
    const error = (await rejectionOf(module.startThreads(1))) as Error;
    expect(error.message).toContain("no such file");
    expect(threads.map(({ isEnded }) => isEnded)).toEqual([true, true]);
  });
});
