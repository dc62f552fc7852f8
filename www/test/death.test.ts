// A worker that dies tells everybody who waits for it, and whoever asks next has another.
import { describe, expect, it, vi } from "vitest";

import { loadIn } from "../src/engine.js";
import { AbortError, PunaError } from "../src/errors.js";
import type { LoadEngine } from "../src/worker/serve.js";
import { FakeLocks } from "./fake/locks.js";
import { FakeWorker, loadFake } from "./fake/worker.js";
import { address, loaded, rejectionOf, say, textOf, until } from "./support.js";

describe("when the worker dies", () => {
  it("rejects all that is pending as internal, and the next request starts anew", async () => {
    const warnings: string[] = [];
    const { model, worker, workers } = await loaded("chunk_ms=20", {
      onWarning: (message) => warnings.push(message),
    });
    const before = model.info;
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
    expect(worker.isTerminated).toBe(true);
    expect(workers).toHaveLength(1);
    // Whoever asks, and however many: the model is loaded once.
    const answer = model.chat.completions.create({ messages: say("hi"), max_tokens: 2 });
    const stream = await model.chat.completions.create({ messages: say("hi"), max_tokens: 2, stream: true });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(textOf(chunks)).toBe((await answer).choices[0]?.message.content);
    const { status } = await model.fetch("https://any/v1/chat/completions", {
      method: "POST",
      body: JSON.stringify({ messages: say("hi"), max_tokens: 2 }),
    });
    expect(status).toBe(200);
    expect(workers).toHaveLength(2);
    expect(model.info).toEqual(before);
    expect(model.info).not.toBe(before);
    expect(warnings).toEqual([expect.stringMatching(/loaded again: .*out of everything/)]);
    await model.unload();
    expect(workers[1]?.isTerminated).toBe(true);
    expect(await model.ended).toMatchObject({ code: "invalid_request" });
    expect(await rejectionOf(model.counters())).toBe(await model.ended);
    expect(workers).toHaveLength(2);
  });

  it("and with it a device that was lost", async () => {
    const { model, worker, workers } = await loaded();
    const lost = rejectionOf(model.chat.completions.create({ messages: say("/fail device_lost") }));
    expect(await lost).toMatchObject({ code: "device_lost" });
    await until(() => worker.isTerminated);
    expect((await model.counters()).steps).toBe(0);
    expect(workers).toHaveLength(2);
    await model.unload();
  });

  it("is noticed where it was ended without a word, which its lock tells", async () => {
    const locks = new FakeLocks();
    vi.stubGlobal("navigator", { locks });
    const { model, worker, workers } = await loaded("chunk_ms=20");
    void locks.request("puna model 1", () => new Promise(() => undefined));
    worker.say({ kind: "lives", lock: "puna model 1" });
    const runs = rejectionOf(model.chat.completions.create({ messages: say("hi") }));
    await until(() => worker.received.length === 2);
    expect(worker.isTerminated).toBe(false);
    locks.drop("puna model ");
    expect(await runs).toMatchObject({
      code: "internal",
      message: expect.stringContaining("ended by somebody else") as string,
    });
    expect((await model.counters()).steps).toBe(0);
    expect(workers).toHaveLength(2);
    // An end of our own is none of somebody else's.
    void locks.request("puna model 2", () => new Promise(() => undefined));
    workers[1]?.say({ kind: "lives", lock: "puna model 2" });
    await model.unload();
    locks.drop("puna model ");
    expect(await model.ended).toMatchObject({ code: "invalid_request" });
    vi.unstubAllGlobals();
  });

  it("has its adapters multiplied as they were", async () => {
    const adapters = [{ source: address("adapter"), name: "a" }];
    const { model, worker, workers } = await loaded("", { adapters });
    await model.setAdapters({ a: 0.5 });
    worker.crash("gone");
    await model.counters();
    const sent = workers[1]?.received.map(({ kind }) => kind);
    expect(sent).toEqual(["load", "adapt", "counters"]);
    expect(workers[1]?.received[1]).toMatchObject({ scales: '{"a":0.5}' });
    await model.unload();
  });

  it("that does not load again fails who waited, and is tried anew by the next", async () => {
    let query = "";
    const workers: FakeWorker[] = [];
    const load: LoadEngine = (request, ...others) =>
      loadFake({ ...request, source: address(query) }, ...others);
    const start = (): FakeWorker => {
      const worker = new FakeWorker(load);
      workers.push(worker);
      return worker;
    };
    const model = await loadIn(start, address(), {});
    query = "fail=network";
    workers[0]?.crash("gone");
    const all = [model.counters(), model.tokenize("a"), model.counters()].map(rejectionOf);
    for (const error of await Promise.all(all)) expect(error).toMatchObject({ code: "network" });
    expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([true, true]);
    query = "";
    expect((await model.counters()).steps).toBe(0);
    expect(workers).toHaveLength(3);
    await model.unload();
  });

  it("may be left while it is loaded again, by a request and by all", async () => {
    const { model, worker, workers } = await loaded("load_ms=40");
    worker.crash("gone");
    const abort = new AbortController();
    const left = rejectionOf(
      model.chat.completions.create({ messages: say("hi") }, { signal: abort.signal }),
    );
    const stays = model.chat.completions.create({ messages: say("hi"), max_tokens: 1 });
    abort.abort();
    expect(await left).toBeInstanceOf(AbortError);
    expect((await stays).choices).toHaveLength(1);
    // Nobody asked the new worker for what was left.
    expect(workers[1]?.received.map(({ kind }) => kind)).toEqual(["load", "chat"]);
    workers[1]?.crash("gone, too");
    const waits = rejectionOf(model.counters());
    await until(() => workers.length === 3);
    await model.unload();
    expect(await waits).toBeInstanceOf(AbortError);
    await until(() => workers[2]?.isTerminated === true);
    expect(await rejectionOf(model.counters())).toBe(await model.ended);
    expect(workers).toHaveLength(3);
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
    // Another one's is good.
    expect((await model.counters()).steps).toBe(0);
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
