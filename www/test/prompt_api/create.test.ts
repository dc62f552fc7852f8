// From options to a session, and what is told on the way.
import { describe, expect, it } from "vitest";

import { languageModelIn } from "../../src/prompt_api/class.js";
import { Monitor, Progress } from "../../src/prompt_api/monitor.js";
import type {
  CreateMonitor,
  LanguageModelCreateCoreOptions,
  LanguageModelCreateOptions,
} from "../../src/prompt_api/types.js";
import { Script, refused } from "../fake/scripted.js";
import { address, rejectionOf, until } from "../support.js";
import { loaderOf, scripted, words } from "./support.js";

/** What no session can have. */
const UNSUPPORTED: LanguageModelCreateCoreOptions[] = [
  { expectedInputs: [{ type: "image" }] },
  { expectedInputs: [{ type: "text" }, { type: "audio" }] },
  { expectedOutputs: [{ type: "image" }] },
  { expectedOutputs: [{ type: "tool-response" }] },
];

/** Types of errors, and what is wrong. */
const WRONG: [new (message: string) => Error, unknown][] = [
  [RangeError, { expectedInputs: [{ type: "text", languages: ["en", "not a tag"] }] }],
  [RangeError, { expectedOutputs: [{ type: "text", languages: [""] }] }],
  [TypeError, { expectedInputs: [{ type: "video" }] }],
  [TypeError, { expectedInputs: [{}] }],
  [TypeError, { expectedInputs: "text" }],
  [RangeError, { topK: 0.5 }],
  [RangeError, { topK: NaN }],
  [RangeError, { temperature: -0.1 }],
  [TypeError, { temperature: 1, samplingMode: "balanced" }],
  [TypeError, { samplingMode: "default" }],
  [TypeError, { signal: {} }],
  [TypeError, 5],
];

describe("availability", () => {
  it("tells whether the model has to be fetched, is being fetched, and is there, without fetching it", async () => {
    const { LanguageModel, script } = scripted("load_ms=200");
    expect(await LanguageModel.availability()).toBe("downloadable");
    expect(script.workers.flatMap(({ received }) => received.map(({ kind }) => kind))).toEqual([
      "inspect",
      "list",
    ]);
    const created = LanguageModel.create();
    await until(() => script.workers.some(({ sent }) => sent.some(({ kind }) => kind === "progress")));
    expect(await LanguageModel.availability()).toBe("downloading");
    await created;
    expect(await LanguageModel.availability()).toBe("available");
  });

  it("knows what the browser keeps, whole or in part", async () => {
    const loader = loaderOf(new Script());
    const options = { chatTemplate: "{{ messages }}" };
    const at = (path: string, more = {}): Promise<string> =>
      languageModelIn(loader, `https://models.example.org/${path}`, { ...options, ...more }).availability();
    expect(await at("smollm2-135m-instruct.gguf#a")).toBe("available");
    expect(await at("smollm2-135m-instruct.gguf", { cache: "none" })).toBe("downloadable");
    expect(await at("half/manifest.json")).toBe("downloadable");
    expect(await languageModelIn(loader, new Blob(["x"]), options).availability()).toBe("available");
  });

  it("is no more than what the device can run, and what can answer chats", async () => {
    expect(await scripted("fail_chat=out_of_memory").LanguageModel.availability()).toBe("unavailable");
    expect(await scripted("fail=unsupported_model").LanguageModel.availability()).toBe("unavailable");
    const untold = languageModelIn(loaderOf(new Script()), address(), {});
    expect(await untold.availability()).toBe("unavailable");
    const encoder = { ...loaderOf(new Script()) };
    const { inspect } = encoder;
    encoder.inspect = async (...given) => ({ ...(await inspect(...given)), embeddingDimensions: 384 });
    const options = { chatTemplate: "{{ messages }}" };
    expect(await languageModelIn(encoder, address(), options).availability()).toBe("unavailable");
  });

  it("is not known while there is no network", async () => {
    const { LanguageModel } = scripted("fail=network");
    for (const asked of [LanguageModel.availability(), LanguageModel.params()]) {
      expect(await rejectionOf(asked)).toMatchObject({
        name: "UnknownError",
        message: expect.stringContaining("expected 206, got 404 Not Found") as string,
        cause: { code: "network" },
      });
    }
  });

  it.each(UNSUPPORTED)("is none for %j, and neither is a session", async (options) => {
    const { LanguageModel } = scripted();
    expect(await LanguageModel.availability(options)).toBe("unavailable");
    expect(await rejectionOf(LanguageModel.create(options))).toMatchObject({ name: "NotSupportedError" });
  });

  it("is that of all languages, but where the author names some", async () => {
    const asked = (...languages: string[]): LanguageModelCreateCoreOptions => ({
      expectedInputs: [{ type: "text", languages }],
    });
    expect(await scripted().LanguageModel.availability(asked("en", "tlh"))).toBe("downloadable");
    const { LanguageModel } = scripted("", { languages: ["en", "DE"] });
    expect(await LanguageModel.availability(asked("en-us", "de-CH"))).toBe("downloadable");
    expect(await LanguageModel.availability(asked("en", "fr"))).toBe("unavailable");
    expect(await rejectionOf(LanguageModel.create(asked("fr")))).toMatchObject({
      name: "NotSupportedError",
      message: "expectedInputs: the language fr is not among those of this model",
    });
  });

  it.each(WRONG)("rejects with a %o for %j, as create does", async (type, options) => {
    const { LanguageModel, script } = scripted();
    expect(await rejectionOf(LanguageModel.create(options as object))).toBeInstanceOf(type);
    if (!JSON.stringify(options).includes("signal")) {
      expect(await rejectionOf(LanguageModel.availability(options as object))).toBeInstanceOf(type);
    }
    expect(script.workers).toHaveLength(0);
  });
});

describe("create", () => {
  it("gives an object of its class, whose constructor nobody calls", async () => {
    const { LanguageModel } = scripted();
    const session = await LanguageModel.create();
    expect(session).toBeInstanceOf(LanguageModel);
    expect(session).toBeInstanceOf(EventTarget);
    expect(Object.prototype.toString.call(session)).toBe("[object LanguageModel]");
    expect((LanguageModel as unknown as { name: string }).name).toBe("LanguageModel");
    expect([session.contextUsage, session.contextWindow]).toEqual([0, 88]);
    expect([session.inputUsage, session.inputQuota]).toEqual([0, 88]);
    expect([session.oncontextoverflow, session.onquotaoverflow]).toEqual([null, null]);
    const constructor = LanguageModel as unknown as new () => object;
    expect(() => new constructor()).toThrow(TypeError);
  });

  it("tells its monitor how far it is: 0 first, 1 last, ever more, and nothing later", async () => {
    const { LanguageModel } = scripted("load_ms=30");
    for (const isFirst of [true, false]) {
      let isCreated = false;
      const loaded: number[] = [];
      const handled: number[] = [];
      const monitor = (m: CreateMonitor): void => {
        m.ondownloadprogress = (event) => handled.push(event.loaded);
        m.addEventListener("downloadprogress", (event) => {
          expect(isCreated).toBe(false);
          expect(event).toMatchObject({ total: 1, lengthComputable: true });
          expect((event.loaded * 2 ** 16) % 1).toBe(0);
          loaded.push(event.loaded);
        });
      };
      await LanguageModel.create({ monitor });
      isCreated = true;
      expect(loaded.length).toBeGreaterThanOrEqual(isFirst ? 10 : 2);
      expect([loaded[0], loaded.at(-1)]).toEqual([0, 1]);
      expect(loaded).toEqual([...new Set(loaded)].sort((a, b) => a - b));
      expect(handled).toEqual(loaded);
    }
  });

  it("tells nothing after an abort", () => {
    const loaded: number[] = [];
    const monitor = new Monitor();
    monitor.ondownloadprogress = (event: ProgressEvent) => loaded.push(event.loaded);
    const abort = new AbortController();
    const progress = new Progress(monitor, abort.signal);
    for (const fraction of [0, 0, 0.5, 0.25]) progress.at(fraction);
    abort.abort();
    progress.at(1);
    expect(loaded).toEqual([0, 0.5]);
  });

  it("rejects with what its monitor throws", async () => {
    const { LanguageModel, script } = scripted();
    const mine = new Error("mine");
    const monitor = (): void => {
      throw mine;
    };
    expect(await rejectionOf(LanguageModel.create({ monitor }))).toBe(mine);
    expect(await rejectionOf(LanguageModel.create({ monitor: 5 as never }))).toBeInstanceOf(TypeError);
    expect(script.workers).toHaveLength(0);
  });

  it.each([0, 1])("can be stopped when its monitor hears of %d, and says no more", async (at) => {
    const { LanguageModel } = scripted("load_ms=20");
    const abort = new AbortController();
    const mine = new Error("mine");
    const loaded: number[] = [];
    const created = LanguageModel.create({
      signal: abort.signal,
      monitor: (m) => {
        m.addEventListener("downloadprogress", (event) => {
          loaded.push(event.loaded);
          if (event.loaded === at) abort.abort(mine);
        });
      },
    });
    expect(await rejectionOf(created)).toBe(mine);
    expect(loaded.at(-1)).toBe(at);
    expect(await rejectionOf(LanguageModel.create({ signal: abort.signal }))).toBe(mine);
  });

  it("reads what the conversation begins with ahead of the first prompt", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create({
      initialPrompts: [
        { role: "system", content: "Be kind." },
        { role: "user", content: "Hello" },
        { role: "assistant", content: [{ type: "text", value: "Hi" }], prefix: true },
      ],
    });
    expect(script.read).toHaveLength(1);
    expect(script.read[0]?.messages).toEqual([
      { role: "system", content: "Be kind." },
      { role: "user", content: "Hello" },
      { role: "assistant", content: "Hi" },
    ]);
    expect(session.contextUsage).toBe(8);
    expect(await LanguageModel.create({ initialPrompts: [] })).toMatchObject({ contextUsage: 0 });
  });

  it("rejects what there is no room for, with both numbers", async () => {
    const { LanguageModel } = scripted();
    const session = await LanguageModel.create();
    const content = words(100);
    const requested = await session.measureContextUsage(content);
    const initialPrompts: LanguageModelCreateOptions["initialPrompts"] = [{ role: "system", content }];
    const error = await rejectionOf(LanguageModel.create({ initialPrompts }));
    expect(error).toMatchObject({ name: "QuotaExceededError", requested, quota: session.contextWindow });
  });

  it.each([
    ["network", "NetworkError"],
    ["unsupported_device", "NotSupportedError"],
    ["unsupported_model", "NotSupportedError"],
    ["busy", "OperationError"],
    ["device_lost", "OperationError"],
  ])("rejects a load that fails with %s with a %s, and the next may succeed", async (code, name) => {
    const { LanguageModel, script, loader } = scripted(`fail=${code}`);
    expect(await rejectionOf(LanguageModel.create())).toMatchObject({ name, cause: { code } });
    const { load } = loader;
    loader.load = (_, options) => load(address(), options);
    expect(await (await LanguageModel.create()).prompt("a")).toBe("Yes.");
    expect(script.workers.map(({ isTerminated }) => isTerminated)).toEqual([true, false]);
  });

  it("rejects a model that knows no chats, and does not keep it", async () => {
    const { LanguageModel, script } = scripted();
    script.refuses = () => true;
    expect(await rejectionOf(LanguageModel.create())).toMatchObject({ name: "NotSupportedError" });
    await until(() => script.workers.every(({ isTerminated }) => isTerminated));
  });

  it("puts an error of the engine's in the draft's words", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create();
    script.answer = () =>
      refused("too long", "context_length_exceeded", { prompt_tokens: 120, context_length: 100 });
    expect(await rejectionOf(session.prompt("a"))).toMatchObject({
      name: "QuotaExceededError",
      requested: 120,
      quota: 100,
    });
    script.answer = () => refused("no such thing");
    const error = await rejectionOf(session.prompt("a"));
    expect(error).toBeInstanceOf(DOMException);
    expect(error).toMatchObject({ name: "NotSupportedError", cause: { code: "invalid_request" } });
  });
});

describe("sampling", () => {
  it("is that of the mode, which is balanced where none is given", async () => {
    const { LanguageModel, script } = scripted();
    const session = await LanguageModel.create();
    expect(session.samplingMode).toBe("balanced");
    const careful = await LanguageModel.create({ samplingMode: "most-predictable" });
    expect(careful.samplingMode).toBe("most-predictable");
    await careful.prompt("a");
    expect(script.requests[0]).toMatchObject({ temperature: 0, top_k: 1 });
    expect(script.requests[0]).not.toHaveProperty("top_p");
    const temperatures: number[] = [];
    for (const samplingMode of [
      "most-predictable",
      "predictable",
      "slightly-predictable",
      "balanced",
      "slightly-creative",
      "creative",
      "most-creative",
    ] as const) {
      temperatures.push((await LanguageModel.create({ samplingMode })).temperature);
    }
    expect(temperatures).toEqual([...new Set(temperatures)].sort((a, b) => a - b));
  });

  it("takes numbers in its place, within bounds", async () => {
    const { LanguageModel, script } = scripted();
    const params = await LanguageModel.params();
    expect(params).toMatchObject({ maxTemperature: 2, maxTopK: 128 });
    const session = await LanguageModel.create({ temperature: Infinity, topK: 3.9 });
    expect([session.temperature, session.topK, session.samplingMode]).toEqual([2, 3, null]);
    await (await session.clone()).prompt("a");
    expect(script.requests[0]).toMatchObject({ temperature: 2, top_k: 3 });
    expect(script.requests[0]).not.toHaveProperty("min_p");
    const other = await LanguageModel.create({ topK: 1e300 });
    expect([other.temperature, other.topK]).toEqual([params?.defaultTemperature, 128]);
    expect(await scripted("fail=unsupported_model").LanguageModel.params()).toBeNull();
  });
});
