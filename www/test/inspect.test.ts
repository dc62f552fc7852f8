// What a model is, asked of a worker that lives for it alone.
import { describe, expect, it } from "vitest";

import { AbortError, InvalidRequestError } from "../src/errors.js";
import { inspectIn } from "../src/inspect.js";
import { FakeWorker } from "./fake/worker.js";
import { address, rejectionOf } from "./support.js";

describe("a report", () => {
  it("is in our own names, but for the model's own keys, and the worker ends", async () => {
    const worker = new FakeWorker();
    const report = await inspectIn(() => worker, address(), { contextLength: 512, device: "webgpu" });
    expect(report).toMatchObject({
      format: "GGUF v3",
      networkBytes: 1_700_000,
      types: [{ bitsPerWeight: 5 }],
      device: { canRun: true, contextLength: 512, problem: null },
    });
    expect(report.metadata).toEqual({ "general.file_type": 3, "llama.context_length": 8192 });
    expect(worker.received).toEqual([
      {
        kind: "inspect",
        id: 1,
        source: address(),
        adapters: [],
        options: { context_length: 512, device: "webgpu" },
      },
    ]);
    expect(worker.isTerminated).toBe(true);
  });

  it("of a model that can't be run says why, and is no error", async () => {
    const report = await inspectIn(() => new FakeWorker(), address("fail_chat=unsupported_model"), {});
    expect(report.device).toMatchObject({
      canRun: false,
      problem: { code: "unsupported_model", details: { ggmlType: 145 } },
    });
  });

  it("is not made of what can't be read, or for options that nobody knows", async () => {
    const failed = inspectIn(() => new FakeWorker(), address("fail=network"), {});
    expect(await rejectionOf(failed)).toMatchObject({ code: "network" });
    const start = (): FakeWorker => {
      throw new Error("a worker was started");
    };
    const refused = await rejectionOf(inspectIn(start, address(), { quantise: "q8_0" } as object));
    expect(refused).toBeInstanceOf(InvalidRequestError);
    expect(refused).toMatchObject({ param: "quantise" });
  });

  it("is not waited for once its signal says so", async () => {
    const worker = new FakeWorker();
    const abort = new AbortController();
    const report = inspectIn(() => worker, address("load_ms=10000"), { signal: abort.signal });
    abort.abort();
    expect(await rejectionOf(report)).toBeInstanceOf(AbortError);
    expect(worker.isTerminated).toBe(true);
    const start = (): FakeWorker => {
      throw new Error("a worker was started");
    };
    expect(await rejectionOf(inspectIn(start, address(), { signal: abort.signal }))).toBeInstanceOf(
      AbortError,
    );
  });
});
