// A worker that dies tells everybody, at once and from then on.
import { describe, expect, it } from "vitest";

import { loadIn } from "../src/engine.js";
import { PunaError } from "../src/errors.js";
import { FakeWorker } from "./fake/worker.js";
import { address, loaded, rejectionOf, say, until } from "./support.js";

describe("when the worker dies", () => {
  it("rejects all that is pending and every later request as internal", async () => {
    const { model, worker } = await loaded("chunk_ms=20");
    const runs = rejectionOf(model.chat.completions.create({ messages: say("hi") }));
    const waits = rejectionOf(model.chat.completions.create({ messages: say("hi"), stream: true }));
    await until(() => worker.received.length === 3);
    worker.crash("out of everything");
    const error = await runs;
    expect(error).toBeInstanceOf(PunaError);
    expect(error).toMatchObject({
      code: "internal",
      message: expect.stringContaining("out of everything") as string,
    });
    expect(await waits).toBe(error);
    expect(await rejectionOf(model.chat.completions.create({ messages: say("hi") }))).toBe(error);
    expect(await rejectionOf(model.counters())).toBe(error);
    expect(await model.ended).toBe(error);
    expect(worker.isTerminated).toBe(true);
    await model.unload();
  });

  it("throws in the loop of a stream", async () => {
    const { model, worker } = await loaded("chunk_ms=5");
    const stream = await model.chat.completions.create({ messages: say("hi"), stream: true });
    const error = await rejectionOf(
      (async () => {
        for await (const chunk of stream) {
          expect(chunk.choices).toHaveLength(1);
          worker.crash("gone");
        }
      })(),
    );
    expect(error).toMatchObject({ code: "internal" });
  });

  it("rejects the load", async () => {
    const worker = new FakeWorker();
    const result = rejectionOf(loadIn(() => worker, address("load_ms=1000"), {}));
    await until(() => worker.received.length > 0);
    worker.crash("");
    expect(await result).toMatchObject({ code: "internal" });
  });

  it.each([
    ["trap", "RuntimeError: unreachable"],
    ["internal", "the fake failed as internal"],
  ])("is dead after a %s of the wasm, whose state is anybody's guess", async (failure, message) => {
    const { model, worker } = await loaded();
    const error = await rejectionOf(model.chat.completions.create({ messages: say(`/fail ${failure}`) }));
    expect(error).toMatchObject({ code: "internal", message });
    await until(() => worker.isTerminated);
    expect(await rejectionOf(model.counters())).toMatchObject({ code: "internal", message });
  });

  it("lives on after a failure that is no defect", async () => {
    const { model, worker } = await loaded();
    const error = await rejectionOf(model.chat.completions.create({ messages: say("/fail out_of_memory") }));
    expect(error).toMatchObject({ code: "out_of_memory" });
    expect((await model.counters()).steps).toBe(3);
    expect(worker.isTerminated).toBe(false);
  });

  it("believes the worker that says so itself", async () => {
    const { model, worker } = await loaded("chunk_ms=20");
    const result = rejectionOf(model.chat.completions.create({ messages: say("hi") }));
    await until(() => worker.received.length === 2);
    worker.say({ kind: "died", error: { code: "internal", message: "unhandled", details: {} } });
    expect(await result).toMatchObject({ code: "internal", message: "unhandled" });
    expect(worker.isTerminated).toBe(true);
  });
});
