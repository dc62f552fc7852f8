// The model behind the sessions: one for all, as long as it is needed.
import { describe, expect, it, vi } from "vitest";

import { loadIn } from "../../src/engine.js";
import type { ChatModel } from "../../src/prompt_api/behind.js";
import { languageModelIn } from "../../src/prompt_api/class.js";
import { Script } from "../fake/scripted.js";
import { address, rejectionOf, until } from "../support.js";
import { gate, loaderOf, scripted } from "./support.js";

/** The workers that are still there. */
function alive({ workers }: Script): number {
  return workers.filter(({ isTerminated }) => !isTerminated).length;
}

describe("the model behind sessions", () => {
  it("is loaded when it is first needed, once for all", async () => {
    const { LanguageModel, script } = scripted("load_ms=20");
    expect(script.workers).toHaveLength(0);
    const [one, other] = await Promise.all([LanguageModel.create(), LanguageModel.create()]);
    expect(await Promise.all([one.prompt("a"), other.prompt("b")])).toEqual(["Yes.", "Yes."]);
    one.destroy();
    other.destroy();
    await (await LanguageModel.create()).prompt("c");
    expect([script.workers.length, alive(script)]).toEqual([1, 1]);
  });

  it("is loaded on for whoever still waits", async () => {
    const { LanguageModel, script } = scripted("load_ms=100");
    const abort = new AbortController();
    const first = rejectionOf(LanguageModel.create({ signal: abort.signal }));
    const second = LanguageModel.create();
    await until(() => script.workers.length === 1);
    abort.abort();
    await first;
    await second;
    expect(script.workers).toHaveLength(1);
  });

  it("is stopped on its way when nobody waits for it any more", async () => {
    const { LanguageModel, script } = scripted("load_ms=10000");
    const stop = new AbortController();
    const stopped = rejectionOf(LanguageModel.create({ signal: stop.signal }));
    await until(() => script.workers.some(({ sent }) => sent.length > 0));
    stop.abort();
    expect(await stopped).toMatchObject({ name: "AbortError" });
    await until(() => alive(script) === 0);
  });

  it("is unloaded with its last session where that was asked for, and loaded again", async () => {
    const { LanguageModel, script } = scripted("steps=2", { unloadWhenUnused: true });
    const session = await LanguageModel.create();
    const clone = await session.clone();
    session.destroy();
    session.destroy();
    expect(await clone.prompt("a")).toBe("Yes.");
    clone.destroy();
    await until(() => alive(script) === 0);
    expect(await LanguageModel.availability()).toBe("downloadable");
    const later = await LanguageModel.create();
    expect(await later.prompt("b")).toBe("Yes.");
    expect(alive(script)).toBe(1);
  });

  it("is unloaded, too, when a creation fails that it was loaded for", async () => {
    const { LanguageModel, script } = scripted("steps=2", { unloadWhenUnused: true });
    const content = "word ".repeat(200);
    expect(
      await rejectionOf(LanguageModel.create({ initialPrompts: [{ role: "user", content }] })),
    ).toMatchObject({
      name: "QuotaExceededError",
    });
    await until(() => alive(script) === 0);
  });

  it("is loaded again when its worker has died or its device was lost", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create();
    await session.prompt("a");
    script.answer = (_, count) => {
      if (count === 2) script.workers[0]?.crash("out of everything");
      if (count === 4)
        throw Object.assign(new Error("the GPU was lost"), { code: "device_lost", details: {} });
      return "Yes.";
    };
    const names: string[] = [];
    for (let ix = 0; ix < 2; ix++) {
      names.push(((await rejectionOf(session.prompt("b"))) as Error).name);
      expect(await session.prompt("c")).toBe("Yes.");
    }
    expect(names).toEqual(["UnknownError", "UnknownError"]);
    expect(script.requests.at(-1)?.messages.map(({ content }) => content)).toEqual([
      "a",
      "Yes.",
      "c",
      "Yes.",
      "c",
    ]);
    await until(() => alive(script) === 1);
    expect(script.workers).toHaveLength(3);
  });

  it("hears of its progress what was asked of load", async () => {
    const loaded: number[] = [];
    const { LanguageModel } = scripted("steps=2", {
      onProgress: ({ loadedBytes }) => loaded.push(loadedBytes),
    });
    await LanguageModel.create();
    expect(loaded).toHaveLength(3);
  });
});

describe("in a worker", () => {
  it.each([
    ["Gecko/20100101 Firefox/153.0", {}, 1],
    ["Gecko/20100101 Firefox/153.0", { threads: 3 }, 3],
    ["AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36", {}, undefined],
  ])("of %s, threads that are asked for as %j are %s", async (userAgent, advanced, threads) => {
    vi.stubGlobal("navigator", { userAgent });
    const { LanguageModel, script } = scripted("steps=2", { advanced });
    vi.unstubAllGlobals();
    await LanguageModel.create();
    const load = script.workers[0]?.received[0] as { options?: { threads?: number } };
    expect(load.options).toBeDefined();
    expect(load.options?.threads).toBe(threads);
  });
});

describe("a model that is loaded already", () => {
  it("is used, and is its owner's to unload", async () => {
    const script = new Script();
    const model = await loadIn(script.start, address(), { contextLength: 100 });
    const LanguageModel = languageModelIn(loaderOf(script), model, {});
    expect(await LanguageModel.availability()).toBe("available");
    const loaded: number[] = [];
    const session = await LanguageModel.create({
      monitor: (m) => {
        m.addEventListener("downloadprogress", (event) => loaded.push(event.loaded));
      },
    });
    expect(loaded).toEqual([0, 1]);
    const stop = AbortSignal.abort();
    await rejectionOf(LanguageModel.create({ signal: stop }));
    expect(await session.prompt("a")).toBe("Yes.");
    session.destroy();
    expect(await model.counters()).toBeDefined();
    const later = await LanguageModel.create();
    await model.unload();
    for (const failed of [later.prompt("c"), later.append("c"), LanguageModel.create()]) {
      expect(await rejectionOf(failed)).toMatchObject({ name: "InvalidStateError" });
    }
    expect(await LanguageModel.availability()).toBe("unavailable");
    expect(script.workers).toHaveLength(1);
  });

  it("stays when a creation is stopped while it is looked at", async () => {
    const script = new Script();
    const model = await loadIn(script.start, address(), {});
    const looking = gate();
    const { info, chat, ended } = model;
    const slow: ChatModel = {
      ...{ info, chat, ended },
      session: (...given) => model.session(...given),
      unload: () => model.unload(),
      async countTokens(source) {
        await looking.opened;
        return model.countTokens(source);
      },
    };
    const LanguageModel = languageModelIn(loaderOf(script), slow, {});
    const abort = new AbortController();
    const created = rejectionOf(
      LanguageModel.create({
        signal: abort.signal,
        monitor: (m) => {
          m.addEventListener("downloadprogress", () => {
            setTimeout(() => {
              abort.abort();
            }, 0);
          });
        },
      }),
    );
    expect(await created).toMatchObject({ name: "AbortError" });
    looking.open();
    await (await LanguageModel.create()).prompt("a");
    expect(alive(script)).toBe(1);
  });

  it("may be unloaded in the middle of a prompt", async () => {
    const script = new Script();
    script.answer = () => ({ calls: [{ name: "t", arguments: "{}" }] });
    const model = await loadIn(script.start, address(), {});
    const LanguageModel = languageModelIn(loaderOf(script), model, {});
    const tool = {
      name: "t",
      description: "Unloads the model.",
      inputSchema: { type: "object" },
      async execute() {
        await model.unload();
        return "done";
      },
    };
    const session = await LanguageModel.create({ tools: [tool] });
    expect(await rejectionOf(session.prompt("a"))).toMatchObject({ name: "InvalidStateError" });
  });

  it("can't be unloaded by its last session", () => {
    const { loader } = scripted();
    const model = { chat: {} } as never;
    expect(() => languageModelIn(loader, model, { unloadWhenUnused: true })).toThrow(TypeError);
    expect(() => languageModelIn(loader, address(), { languages: ["no tag"] })).toThrow(RangeError);
  });
});
