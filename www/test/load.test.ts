import { afterEach, describe, expect, it, vi } from "vitest";

import { loadIn } from "../src/engine.js";
import { AbortError, InvalidRequestError, PunaError } from "../src/errors.js";
import type { ProgressEvent } from "../src/types/model.js";
import { FakeWorker } from "./fake/worker.js";
import { address, loaded, rejectionOf, say, until } from "./support.js";

afterEach(() => {
  vi.useRealTimers();
});

describe("load", () => {
  it("tells the model, its device and how it came along, in our own names", async () => {
    const events: ProgressEvent[] = [];
    const { model } = await loaded("", { contextLength: 512, onProgress: (event) => events.push(event) });
    expect(model.id).toBe("smollm2-135m-instruct");
    expect(model.info).toMatchObject({ contextLength: 512, vocabSize: 49152, fileBytes: 98_362_432 });
    expect(model.device).toBe(model.info.device);
    expect(model.device).toMatchObject({ kind: "webgpu", isSoftware: false });
    expect(events[0]?.stage).toBe("header");
    expect(events.at(-1)).toEqual({
      stage: "ready",
      loadedBytes: 98_362_432,
      totalBytes: 98_362_432,
      networkBytes: 98_362_432,
      cachedBytes: 0,
    });
  });

  it("sends options in the engine's names and leaves absent ones out", async () => {
    const { worker } = await loaded("", { kvCache: "f32", chatTemplate: "t", advanced: { poke: "off" } });
    expect(worker.received[0]).toMatchObject({
      kind: "load",
      options: { kv_cache: "f32", chat_template: "t", poke: "off" },
    });
  });

  it("takes a file", async () => {
    const worker = new FakeWorker();
    await loadIn(() => worker, new Blob(["GGUF"]), {});
    expect(worker.received[0]).toMatchObject({ source: expect.any(Blob) as Blob });
  });

  it("ends the worker when the request can't be sent", async () => {
    const failures = [
      [new DOMException("no", "DataCloneError"), "invalid_request"],
      [new TypeError("no"), "internal"],
    ] as const;
    for (const [failure, code] of failures) {
      const worker = new FakeWorker();
      vi.spyOn(worker, "postMessage").mockImplementation(() => {
        throw failure;
      });
      const error = await rejectionOf(loadIn(() => worker, address(), {}));
      expect(error).toBeInstanceOf(PunaError);
      expect(error).toMatchObject({ code, cause: failure });
      expect(worker.isTerminated).toBe(true);
    }
  });

  it("ends the worker and keeps the code when it fails", async () => {
    const worker = new FakeWorker();
    const error = await rejectionOf(loadIn(() => worker, address("fail=network"), {}));
    expect(error).toBeInstanceOf(PunaError);
    expect(error).toMatchObject({ code: "network", details: { status: 404 } });
    expect(worker.isTerminated).toBe(true);
  });

  it("starts no worker when it is aborted before", async () => {
    const start = vi.fn(() => new FakeWorker());
    const error = await rejectionOf(loadIn(start, address(), { signal: AbortSignal.abort("why") }));
    expect(error).toMatchObject({ name: "AbortError", cause: "why" });
    expect(start).not.toHaveBeenCalled();
  });

  it("waits for the worker to stop by itself when it is aborted, for it holds the cache open", async () => {
    const worker = new FakeWorker();
    const abort = new AbortController();
    const result = rejectionOf(loadIn(() => worker, address("load_ms=10000"), { signal: abort.signal }));
    await until(() => worker.received.length > 0);
    abort.abort("why");
    expect(worker.isTerminated).toBe(false);
    const error = await result;
    expect(error).toBeInstanceOf(AbortError);
    expect(error).toMatchObject({ cause: "why" });
    expect(worker.endsOf(1)).toMatchObject([{ kind: "failed", error: { code: "aborted" } }]);
    expect(worker.isTerminated).toBe(true);
  });

  it("ends a worker that does not stop", async () => {
    const worker = new FakeWorker(() => new Promise(() => undefined));
    const abort = new AbortController();
    const result = rejectionOf(loadIn(() => worker, address(), { signal: abort.signal }));
    await until(() => worker.received.length > 0);
    vi.useFakeTimers();
    abort.abort();
    await vi.advanceTimersByTimeAsync(3000);
    expect(await result).toBeInstanceOf(AbortError);
    expect(worker.isTerminated).toBe(true);
  });

  it("gives no model when it was done just as it was aborted", async () => {
    const worker = new FakeWorker();
    const abort = new AbortController();
    const onProgress = ({ stage }: ProgressEvent): void => {
      if (stage === "ready") abort.abort();
    };
    const error = await rejectionOf(loadIn(() => worker, address(), { signal: abort.signal, onProgress }));
    expect(error).toBeInstanceOf(AbortError);
    expect(worker.isTerminated).toBe(true);
  });
});

describe("unload", () => {
  it("frees the engine, ends the worker, refuses what comes later, and may be called again", async () => {
    const { model, worker } = await loaded();
    await Promise.all([model.unload(), model.unload()]);
    await model.unload();
    expect(worker.received.filter(({ kind }) => kind === "unload")).toHaveLength(1);
    expect(worker.isTerminated).toBe(true);
    const error = await rejectionOf(model.chat.completions.create({ messages: say("hi") }));
    expect(error).toBeInstanceOf(InvalidRequestError);
    expect(error).toMatchObject({ message: expect.stringContaining("unloaded") as string });
    expect(await rejectionOf(model.counters())).toBeInstanceOf(InvalidRequestError);
  });

  it("ends what runs and what waits with an AbortError", async () => {
    const { model, worker } = await loaded("chunk_ms=20");
    const runs = rejectionOf(model.chat.completions.create({ messages: say("hi") }));
    const waits = rejectionOf(model.chat.completions.create({ messages: say("hi") }));
    await until(() => worker.received.length === 3);
    await model.unload();
    expect(await runs).toBeInstanceOf(AbortError);
    expect(await waits).toBeInstanceOf(AbortError);
    expect(worker.endsOf(4)).toMatchObject([{ kind: "done", result: null }]);
  });
});
