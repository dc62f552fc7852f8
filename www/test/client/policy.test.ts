// Where a client's requests go, and that nothing is sent that the policy does not send.
import { describe, expect, it, vi } from "vitest";

import { createClient } from "../../src/client.js";
import type { PolicyQuestion } from "../../src/client/policy.js";
import type { Model } from "../../src/engine.js";
import { AbortError, InvalidRequestError, PunaError } from "../../src/errors.js";
import { loaded, rejectionOf, say, until } from "../support.js";
import { clientOf, far, json, serverOf } from "./support.js";

const hello = { messages: say("Hello"), max_tokens: 2 };
const CANNOT = ["network", "unsupported_device", "unsupported_model", "device_lost", "busy"] as const;

describe("options", () => {
  it.each([
    [{}, "local"],
    [{ local: null, remote: { baseURL: "https://a.example", model: "m" } }, "local"],
    [{ local: { source: "a" }, policy: "remote" }, "remote"],
    [{ local: { source: "a" }, policy: "cloud" }, "policy"],
    [{ local: { source: "a" }, whileLoading: "guess" }, "whileLoading"],
    [{ local: { source: "a" }, locale: "de" }, "locale"],
    [{ local: { source: "a", option: {} } }, "local.option"],
    [{ local: "a" }, "local"],
    [{ local: 3 }, "local"],
    [{ remote: "https://a.example", policy: "remote" }, "remote"],
    [{ remote: { baseURL: "https://a.example" }, policy: "remote" }, "remote.model"],
    [{ remote: { baseURL: "ftp://a.example", model: "m" }, policy: "remote" }, "remote.baseURL"],
    [{ remote: { baseURL: "nowhere", model: "m" }, policy: "remote" }, "remote.baseURL"],
    [{ remote: { baseURL: "https://u:p@a.example", model: "m" }, policy: "remote" }, "remote.baseURL"],
    [{ remote: { baseURL: "https://a.example", model: "m", apiKey: 3 }, policy: "remote" }, "remote.apiKey"],
    [{ remote: { baseURL: "https://a.example", model: "m", fetch: 3 }, policy: "remote" }, "remote.fetch"],
    [
      { remote: { baseURL: "https://a.example", model: "m", server: "x" }, policy: "remote" },
      "remote.server",
    ],
    [
      { remote: { baseURL: "https://a.example", model: "m", headers: { "a b": "c" } }, policy: "remote" },
      "remote.headers",
    ],
    [{ remote: { baseURL: "https://a.example", model: "m", url: "" }, policy: "remote" }, "remote.url"],
  ])("%j are refused where they are given", (options, param) => {
    const create = (): unknown => createClient(options as never);
    expect(create).toThrow(InvalidRequestError);
    expect(create).toThrow(expect.objectContaining({ param }) as Error);
  });
});

describe("the policy", () => {
  it("is local where nothing is said: whatever fails, nothing is sent", async () => {
    const server = serverOf(far);
    for (const code of CANNOT) {
      const { client } = clientOf(`fail=${code}`, server);
      expect(await rejectionOf(client.chat.completions.create(hello))).toMatchObject({ code });
      const answer = await client.fetch("https://any.example/v1/chat/completions", {
        method: "POST",
        body: JSON.stringify(hello),
      });
      expect([answer.ok, answer.headers.get("x-puna-ran-on")]).toEqual([false, "local"]);
    }
    const { client } = clientOf("", server);
    const answer = await client.chat.completions.create(hello);
    expect(answer.puna).toEqual({ ranOn: "local", reason: "policy" });
    expect(answer.choices[0]?.message.content).toBe("The **puna");
    expect(server.got).toEqual([]);
  });

  it.each(CANNOT)("local-first sends what can't be answered here for %s", async (code) => {
    const server = serverOf(far);
    const { client, loader } = clientOf(`fail=${code}`, server, { policy: "local-first" });
    const ran = { ranOn: "remote", reason: code };
    const answer = await client.chat.completions.create(hello);
    expect(answer).toMatchObject({ puna: ran, choices: [{ message: { content: "far away" } }] });
    const text = await client.completions.create({ prompt: "Once" });
    expect(text).toMatchObject({ puna: ran, choices: [{ text: "far away" }] });
    expect(await client.embeddings.create({ input: ["a"] })).toMatchObject({
      puna: ran,
      data: [{ embedding: [1] }],
    });
    expect(await client.models.list()).toMatchObject({ puna: ran, data: [{ id: "far-1" }] });
    expect(server.got.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "POST https://far.example.org/v1/chat/completions",
      "POST https://far.example.org/v1/completions",
      "POST https://far.example.org/v1/embeddings",
      "GET https://far.example.org/v1/models",
    ]);
    expect(server.got[0]?.body).toEqual({ ...hello, model: "far-1" });
    // What failed is not tried again unasked.
    expect(loader).toHaveBeenCalledTimes(1);
    expect(client.state).toBe("failed");
  });

  it("local-first answers here what can be, with all that the client has", async () => {
    const server = serverOf(far);
    const { client } = clientOf("", server, { policy: "local-first" });
    const ran = { ranOn: "local", reason: "policy" };
    expect((await client.completions.create({ prompt: "Once" })).puna).toEqual(ran);
    expect((await client.embeddings.create({ input: ["a"] })).puna).toEqual(ran);
    expect(await client.models.list()).toMatchObject({ puna: ran, data: [{ id: "smollm2-135m-instruct" }] });
    const stream = await client.chat.completions.create({ ...hello, stream: true });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(stream.puna).toEqual(ran);
    expect(chunks.length).toBeGreaterThan(2);
    for (const { puna } of chunks) expect(puna).toEqual(ran);
    expect(server.got).toEqual([]);
  });

  it("never sends what is wrong with the request, nor what was stopped", async () => {
    const server = serverOf(far);
    const asked = vi.fn(() => "remote" as const);
    for (const policy of ["local-first", asked] as const) {
      const { client } = clientOf("load_ms=300", server, { policy });
      const stop = new AbortController();
      const waiting = rejectionOf(client.chat.completions.create(hello, { signal: stop.signal }));
      await until(() => client.state === "loading");
      stop.abort("enough");
      expect(await waiting).toMatchObject({ name: "AbortError", cause: "enough" });
      const bad = await rejectionOf(client.chat.completions.create({ messages: [] }));
      expect(bad).toMatchObject({ code: "invalid_request", param: "messages" });
      const aborted = client.chat.completions.create(hello, { signal: AbortSignal.abort() });
      expect(await rejectionOf(aborted)).toBeInstanceOf(AbortError);
      expect(await rejectionOf(client.chat.completions.create(3 as never))).toBeInstanceOf(
        InvalidRequestError,
      );
      const circle: Record<string, unknown> = { ...hello };
      circle["self"] = circle;
      expect(await rejectionOf(client.chat.completions.create(circle as never))).toMatchObject({
        code: "invalid_request",
      });
      await client.unload();
      expect(await rejectionOf(client.chat.completions.create(hello))).toMatchObject({
        code: "invalid_request",
        message: expect.stringContaining("unloaded") as string,
      });
    }
    expect(asked).not.toHaveBeenCalled();
    expect(server.got).toEqual([]);
  });

  it("sends a single request that is too long, or too many", async () => {
    const server = serverOf(far);
    const { client } = clientOf("chunk_ms=5", server, {
      local: {
        source: "https://models.example.org/fake.gguf?chunk_ms=5",
        options: { parallel: 1, queueLimit: 0 },
      },
      policy: "local-first",
    });
    await client.load();
    const long = { ...hello, messages: say("/fail context_length_exceeded"), max_tokens: 9 };
    const first = await client.chat.completions.create(long);
    expect(first.puna).toEqual({ ranOn: "remote", reason: "context_length_exceeded" });
    const many = await Promise.all([1, 2, 3].map(() => client.chat.completions.create(hello)));
    expect(many.map(({ puna }) => puna.reason).sort()).toEqual(["busy", "busy", "policy"]);
    expect((await client.chat.completions.create(hello)).puna.ranOn).toBe("local");
  });

  it("never has words of both in a stream: one that breaks off is an error", async () => {
    const server = serverOf(far);
    const { client, workers } = clientOf("", server, { policy: "local-first" });
    const body = { messages: say("/fail device_lost"), stream: true } as const;
    const stream = await client.chat.completions.create(body);
    const texts: string[] = [];
    const error = await rejectionOf(
      (async () => {
        for await (const { choices } of stream) texts.push(choices[0]?.delta.content ?? "");
      })(),
    );
    expect(error).toMatchObject({ code: "device_lost" });
    expect(texts.join("")).toBe("The **puna** is ".slice(0, texts.join("").length));
    expect(texts.join("").length).toBeGreaterThan(3);
    expect(server.got).toEqual([]);
    // The next one starts anew.
    expect((await client.chat.completions.create(hello)).puna.ranOn).toBe("local");
    expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([true, false]);
  });

  it("remote loads nothing, and needs nothing to load", async () => {
    const server = serverOf(far);
    for (const query of ["", null]) {
      const { client, loader } = clientOf(query, server, { policy: "remote" });
      expect((await client.chat.completions.create(hello)).puna).toEqual({
        ranOn: "remote",
        reason: "policy",
      });
      expect(loader).not.toHaveBeenCalled();
    }
    const { client } = clientOf(null, server, { policy: "local-first" });
    expect(client.state).toBe("none");
    expect((await client.chat.completions.create(hello)).puna.reason).toBe("no_local");
    expect(await rejectionOf(client.load())).toMatchObject({ code: "invalid_request" });
  });

  it("remote-first answers here what the server can't", async () => {
    let status = 200;
    const server = serverOf((got) =>
      status === 200 ? far(got) : json(status, { error: { message: "no", type: "t", param: "p" } }),
    );
    const { client } = clientOf("", server, { policy: "remote-first" });
    expect((await client.chat.completions.create(hello)).puna.ranOn).toBe("remote");
    for (const [next, reason] of [
      [500, "network"],
      [401, "network"],
      [429, "busy"],
    ] as const) {
      status = next;
      const { puna } = await client.chat.completions.create(hello);
      expect(puna).toEqual({ ranOn: "local", reason });
    }
    status = 422;
    const refused = await rejectionOf(client.chat.completions.create(hello));
    expect(refused).toMatchObject({ code: "invalid_request", param: "p" });
    // Where there is nobody else, the server's error is told.
    status = 500;
    const alone = clientOf(null, server, { policy: "remote-first" }).client;
    const error = await rejectionOf(alone.chat.completions.create(hello));
    expect(error).toMatchObject({ name: "RemoteError", status: 500 });
  });

  it("of a request goes before the client's", async () => {
    const server = serverOf(far);
    const { client } = clientOf("", server);
    expect((await client.chat.completions.create(hello, { policy: "remote" })).puna.ranOn).toBe("remote");
    expect((await client.chat.completions.create(hello)).puna.ranOn).toBe("local");
    const { client: alone } = clientOf("", null);
    const error = await rejectionOf(alone.chat.completions.create(hello, { policy: "remote" }));
    expect(error).toMatchObject({ param: "remote" });
    const unknown = await rejectionOf(client.chat.completions.create(hello, { policy: "cloud" as never }));
    expect(unknown).toMatchObject({ param: "policy" });
  });
});

describe("a function", () => {
  it("is asked with the reason, the error and the request, and its word counts", async () => {
    const server = serverOf(far);
    let where: "local" | "remote" = "local";
    const questions: PolicyQuestion[] = [];
    const policy = async (question: PolicyQuestion): Promise<"local" | "remote"> => {
      questions.push(question);
      return Promise.resolve(where);
    };
    const { client } = clientOf("fail=unsupported_device", server, { policy });
    const error = await rejectionOf(client.chat.completions.create(hello));
    expect(error).toMatchObject({ code: "unsupported_device" });
    expect(server.got).toEqual([]);
    expect(questions).toMatchObject([
      {
        reason: "unsupported_device",
        request: { method: "POST", path: "/chat/completions", body: hello },
        signal: null,
      },
    ]);
    expect(questions[0]?.error).toBe(error);
    where = "remote";
    expect((await client.chat.completions.create(hello)).puna).toEqual({
      ranOn: "remote",
      reason: "unsupported_device",
    });
  });

  it("is not asked where the model answers, or where there is no server", async () => {
    const policy = vi.fn(() => "remote" as const);
    const { client } = clientOf("", serverOf(far), { policy });
    expect((await client.chat.completions.create(hello)).puna.ranOn).toBe("local");
    const { client: alone } = clientOf("fail=network", null, { policy });
    expect(await rejectionOf(alone.chat.completions.create(hello))).toMatchObject({ code: "network" });
    expect(policy).not.toHaveBeenCalled();
  });

  it("may fail or say nonsense, upon which nothing is sent", async () => {
    const server = serverOf(far);
    const failure = new Error("the dialog is closed");
    const failing = clientOf("fail=network", server, { policy: () => Promise.reject(failure) }).client;
    expect(await rejectionOf(failing.chat.completions.create(hello))).toBe(failure);
    const wrong = clientOf("fail=network", server, { policy: () => true as never }).client;
    expect(await rejectionOf(wrong.chat.completions.create(hello))).toMatchObject({ param: "policy" });
    expect(server.got).toEqual([]);
  });

  it("is not waited for when the request is stopped", async () => {
    const server = serverOf(far);
    const asked: PolicyQuestion[] = [];
    const policy = (question: PolicyQuestion): Promise<"remote"> => {
      asked.push(question);
      return new Promise(() => undefined);
    };
    const { client } = clientOf("fail=network", server, { policy });
    const stop = new AbortController();
    const waiting = rejectionOf(client.chat.completions.create(hello, { signal: stop.signal }));
    await until(() => asked.length === 1);
    expect(asked[0]?.signal).toBe(stop.signal);
    stop.abort("enough");
    expect(await waiting).toMatchObject({ name: "AbortError", cause: "enough" });
    expect(server.got).toEqual([]);
  });
});

describe("the local model", () => {
  it("is loaded when it is first needed, once, with its options", async () => {
    const onProgress = vi.fn();
    const source = "https://models.example.org/fake.gguf?load_ms=20";
    const { client, loader } = clientOf("", null, { local: { source, options: { onProgress } } });
    expect([client.state, client.model]).toEqual(["idle", null]);
    expect(loader).not.toHaveBeenCalled();
    const answers = [1, 2].map(() => client.chat.completions.create(hello));
    const loading = client.load();
    await until(() => client.state === "loading");
    await Promise.all(answers);
    expect(await loading).toBe(client.model);
    expect(client.state).toBe("ready");
    expect(loader).toHaveBeenCalledTimes(1);
    expect(loader.mock.calls[0]?.[0]).toBe(source);
    expect(onProgress).toHaveBeenLastCalledWith(expect.objectContaining({ stage: "ready" }));
    await client.unload();
    expect(client.state).toBe("failed");
    await client.load();
    expect((await client.chat.completions.create(hello)).puna.ranOn).toBe("local");
    expect(loader).toHaveBeenCalledTimes(2);
  });

  it("that did not load is loaded again when somebody says so", async () => {
    const { client, loader } = clientOf("fail=network", null);
    for (let ix = 0; ix < 2; ix++) {
      expect(await rejectionOf(client.chat.completions.create(hello))).toMatchObject({ code: "network" });
    }
    expect(loader).toHaveBeenCalledTimes(1);
    expect(await rejectionOf(client.load())).toMatchObject({ code: "network" });
    expect(loader).toHaveBeenCalledTimes(2);
  });

  it("that dies starts anew with the next request", async () => {
    const server = serverOf(far);
    const { client, workers } = clientOf("", server, { policy: "local-first" });
    const model = await client.load();
    workers[0]?.crash("out of memory");
    expect((await client.chat.completions.create(hello)).puna.ranOn).toBe("local");
    expect(client.model).toBe(model);
    expect(workers).toHaveLength(2);
    expect(server.got).toEqual([]);
  });

  it("that starts anew is one that is loading", async () => {
    const server = serverOf(far);
    const { client, workers } = clientOf("load_ms=60", server, {
      policy: "local-first",
      whileLoading: "remote",
    });
    await client.load();
    workers[0]?.crash("out of memory");
    expect(client.state).toBe("loading");
    const { puna } = await client.chat.completions.create(hello);
    expect(puna).toEqual({ ranOn: "remote", reason: "loading" });
    await until(() => client.state === "ready");
    expect((await client.chat.completions.create(hello)).puna.ranOn).toBe("local");
    expect(workers).toHaveLength(2);
  });

  it("may be there already, or on its way, and is left alone then", async () => {
    const { model } = await loaded();
    for (const local of [model, Promise.resolve(model)]) {
      const client = createClient({ local });
      expect(await client.load()).toBe(model);
      expect((await client.chat.completions.create(hello)).puna.ranOn).toBe("local");
      await client.unload();
      expect(client.model).toBe(model);
    }
    const failed = createClient({ local: Promise.reject(new PunaError("out_of_memory", "no room")) });
    expect(await rejectionOf(failed.chat.completions.create(hello))).toMatchObject({ code: "out_of_memory" });
    expect(await rejectionOf(failed.load())).toMatchObject({ code: "out_of_memory" });
    await model.unload();
    const client = createClient({ local: model });
    expect(await rejectionOf(client.chat.completions.create(hello))).toMatchObject({
      code: "invalid_request",
    });
  });

  it("may be stopped while it loads, by its own signal or by unload", async () => {
    const server = serverOf(far);
    const stop = new AbortController();
    const source = "https://models.example.org/fake.gguf?load_ms=5000";
    const local = { source, options: { signal: stop.signal } };
    const { client } = clientOf("", server, { local, policy: "local-first" });
    const waiting = rejectionOf(client.chat.completions.create(hello));
    await until(() => client.state === "loading");
    stop.abort("not now");
    expect(await waiting).toMatchObject({ name: "AbortError", cause: "not now" });
    const { client: other } = clientOf("load_ms=5000", server, { policy: "local-first" });
    const asked = rejectionOf(other.chat.completions.create(hello));
    await until(() => other.state === "loading");
    await other.unload();
    expect(await asked).toBeInstanceOf(AbortError);
    expect(server.got).toEqual([]);
  });

  it("need not be waited for, if the author says so", async () => {
    const server = serverOf(far);
    const { model } = await loaded();
    let arrive: (model: Model) => void = () => undefined;
    const local = new Promise<Model>((resolve) => {
      arrive = resolve;
    });
    const { client } = clientOf("", server, { local, policy: "local-first", whileLoading: "remote" });
    const ran = (await client.chat.completions.create(hello)).puna;
    expect(ran).toEqual({ ranOn: "remote", reason: "loading" });
    expect(client.state).toBe("loading");
    arrive(model);
    await client.load();
    expect((await client.chat.completions.create(hello)).puna.ranOn).toBe("local");

    const reasons: string[] = [];
    const policy = ({ reason }: PolicyQuestion): "local" | "remote" => {
      reasons.push(reason);
      return reason === "loading" ? "local" : "remote";
    };
    const waiting = clientOf("load_ms=20&fail=network", server, { policy, whileLoading: "remote" }).client;
    expect((await waiting.chat.completions.create(hello)).puna.reason).toBe("network");
    expect(reasons).toEqual(["loading", "network"]);
  });
});
