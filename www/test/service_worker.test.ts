// The two halves of the service worker against each other, where a browser would take long, or never do it when asked.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { type Answerer, answer } from "../src/sw/answer.js";
import type { WorkerScope } from "../src/sw/scope.js";
import { serve } from "../src/sw/serve.js";
import { Server } from "../src/sw/server.js";
import { FakeLocks } from "./fake/locks.js";
import { loaded, until } from "./support.js";

const CHAT = "/v1/chat/completions";

let locks: FakeLocks;
let server: Server;
/** Who hears what the worker says to the page. */
let listeners: Set<(event: unknown) => void>;
/** What waits for a second or more; nothing does until a test lets it pass. */
let waits: { callback: () => void; ms: number }[];

beforeEach(() => {
  locks = new FakeLocks();
  listeners = new Set();
  const serviceWorker = {
    addEventListener: (_: string, listener: (event: unknown) => void) => listeners.add(listener),
    removeEventListener: (_: string, listener: (event: unknown) => void) => listeners.delete(listener),
    startMessages: () => undefined,
  };
  vi.stubGlobal("navigator", { locks, serviceWorker });
  const page = {
    id: "page",
    postMessage(data: unknown, ports: Transferable[]) {
      for (const listener of listeners) listener({ data, ports, source: null });
    },
  };
  const clients: WorkerScope["clients"] = {
    matchAll: () => Promise.resolve([page]),
    claim: () => Promise.resolve(),
  };
  server = new Server(clients);
  waits = [];
  const { setTimeout } = globalThis;
  vi.stubGlobal("setTimeout", (callback: () => void, ms: number) => {
    if (ms < 1000) return setTimeout(callback, ms);
    waits.push({ callback, ms });
    return undefined;
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Asks as a client of the origin does. */
function ask(path: string, body: object = {}): Promise<Response> {
  const request = new Request(`http://localhost/puna${path}`, { method: "POST", body: JSON.stringify(body) });
  return server.answer({
    request,
    clientId: "page",
    respondWith: () => undefined,
    stopImmediatePropagation: () => undefined,
    waitUntil: () => undefined,
  });
}

/** Something that answers when it is told to; `signal` is that of the request, once there is one. */
function offer(): {
  offered: Answerer;
  reply: (response: Response) => void;
  signal: () => AbortSignal | undefined;
} {
  let reply: (response: Response) => void = () => undefined;
  const answered = new Promise<Response>((resolve) => {
    reply = resolve;
  });
  let signal: AbortSignal | undefined;
  const offered: Answerer = {
    id: "held",
    fetch: (_, init) => {
      signal = init?.signal ?? undefined;
      return answered;
    },
  };
  return { offered, reply, signal: () => signal };
}

const events = (first: string): Response =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(first));
      },
    }),
    { headers: { "content-type": "text/event-stream" } },
  );

/** Lets so much time pass. */
function pass(ms: number): void {
  for (const wait of waits.filter((wait) => wait.ms <= ms)) wait.callback();
}

/** The answer to a request that has reached the page, once it has taken too long. */
async function lateAnswer(asked: Promise<Response>, signal: () => unknown): Promise<Response> {
  await until(() => signal() !== undefined);
  pass(5000);
  return asked;
}

describe("an answer that takes long", () => {
  it("begins before it is known, and is whole", async () => {
    const { offered, reply, signal } = offer();
    await answer(offered);
    const response = await lateAnswer(ask(CHAT), signal);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    reply(Response.json({ object: "chat.completion" }));
    expect(await response.json()).toEqual({ object: "chat.completion" });
  });

  it.each([false, true])("is given up with the request, stream: %s", async (stream) => {
    const { offered, signal } = offer();
    await answer(offered);
    const response = await lateAnswer(ask(CHAT, { stream }), signal);
    expect(signal()?.aborted).toBe(false);
    await response.body?.cancel();
    await until(() => signal()?.aborted === true);
  });

  it.each([
    [CHAT, { error: { message: "no", type: "invalid_request_error", param: "n", code: null } }],
    ["/v1/messages", { type: "error", error: { type: "invalid_request_error", message: "no" } }],
  ])("that is a refusal is a stream's only event: %s", async (path, refusal) => {
    const { offered, reply, signal } = offer();
    await answer(offered);
    const response = await lateAnswer(ask(path, { stream: true }), signal);
    reply(Response.json(refusal, { status: 400 }));
    const text = await response.text();
    const front = path === CHAT ? "" : "event: error\n";
    expect(text).toBe(`${front}data: ${JSON.stringify(refusal)}\n\n`);
  });

  it("that is a refusal has its own event in responses", async () => {
    const { offered, reply, signal } = offer();
    await answer(offered);
    const response = await lateAnswer(ask("/v1/responses", { stream: true }), signal);
    reply(Response.json({ error: { message: "no", code: "unsupported_value" } }, { status: 400 }));
    const [front, data] = (await response.text()).trimEnd().split("\n");
    expect(front).toBe("event: error");
    const told = { type: "error", code: "unsupported_value", message: "no", param: null, sequence_number: 0 };
    expect(JSON.parse(data?.slice("data: ".length) ?? "")).toEqual(told);
  });
});

describe("a page that goes", () => {
  it("ends an answer that has not begun with a status", async () => {
    const { offered, signal } = offer();
    await answer(offered);
    const asked = ask("/v1/messages");
    await until(() => signal() !== undefined);
    locks.drop("puna offer ");
    const response = await asked;
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([503, null]);
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "api_error" } });
  });

  it("ends a stream with an event in the words of its API", async () => {
    const { offered, reply } = offer();
    await answer(offered);
    reply(events("event: response.created\ndata: {}\n\n"));
    const response = await ask("/v1/responses", { stream: true });
    const reader = (response.body ?? new Blob().stream()).getReader();
    await reader.read();
    const next = reader.read();
    locks.drop("puna offer ");
    const text = new TextDecoder().decode((await next).value);
    expect(text).toMatch(
      /^event: error\ndata: \{"type":"error","code":"page_gone",.*"sequence_number":1\}\n\n$/,
    );
    expect((await reader.read()).done).toBe(true);
  });
});

describe("an offer", () => {
  it("that was taken back goes on with what it has begun", async () => {
    const { offered, reply, signal } = offer();
    const { stop } = await answer(offered);
    const asked = ask(CHAT);
    await until(() => signal() !== undefined);
    stop();
    const after = await ask(CHAT);
    expect(await after.json()).toMatchObject({ error: { code: "no_model" } });
    reply(Response.json({ done: true }));
    const response = await asked;
    expect([response.status, await response.json()]).toEqual([200, { done: true }]);
    await until(() => listeners.size === 0);
  });

  it("of a page that says nothing is an error, not an absence", async () => {
    void locks.request("puna offer silent", () => new Promise(() => undefined));
    const asked = ask(CHAT);
    await until(() => waits.some(({ ms }) => ms === 3000));
    pass(3000);
    const response = await asked;
    expect([response.status, response.headers.get("x-should-retry")]).toEqual([503, null]);
    expect(await response.json()).toMatchObject({ error: { type: "server_error", code: "page_silent" } });
  });

  it("ends with its model", async () => {
    const { model } = await loaded();
    await answer(model);
    expect((await ask(CHAT, { messages: [{ role: "user", content: "Hello" }], max_tokens: 1 })).status).toBe(
      200,
    );
    await model.unload();
    expect(await model.ended).toMatchObject({ code: "invalid_request" });
    const response = await ask(CHAT);
    expect(await response.json()).toMatchObject({ error: { code: "no_model" } });
  });
});

describe("serve", () => {
  /** A service worker's global in which it runs; `tell` gives its listeners an event. */
  function run(options?: Parameters<typeof serve>[0]): {
    tell: (type: string, event: object) => void;
    claims: () => number;
  } {
    const heard: [string, (event: object) => void][] = [];
    let claims = 0;
    const claim = (): Promise<void> => {
      claims += 1;
      // As where the threads of a page don't answer.
      return new Promise(() => undefined);
    };
    vi.stubGlobal("registration", { scope: "https://example.org/app/" });
    vi.stubGlobal("clients", { matchAll: () => Promise.resolve([]), claim });
    vi.stubGlobal("addEventListener", (...given: (typeof heard)[number]) => heard.push(given));
    serve(options);
    return {
      tell(type, event) {
        for (const [of, listener] of heard) if (of === type) listener(event);
      },
      claims: () => claims,
    };
  }

  it("takes charge of pages, and nothing waits for that", async () => {
    const { tell, claims } = run();
    const waitUntil = vi.fn();
    tell("activate", { waitUntil });
    expect(claims()).toBe(1);
    const { port1, port2 } = new MessageChannel();
    const said = new Promise((resolve) => {
      port1.onmessage = ({ data }) => {
        resolve(data);
      };
    });
    tell("message", { data: { puna: "ready" }, ports: [port2], waitUntil });
    expect(await said).toEqual({ puna: "ready" });
    expect([claims(), waitUntil.mock.calls.length]).toEqual([2, 0]);
    port1.close();
    const patient = run({ claim: false });
    patient.tell("activate", { waitUntil });
    expect(patient.claims()).toBe(0);
  });

  it.each([
    [undefined, "https://example.org/app/puna/v1/models", true],
    ["/puna/", "https://example.org/puna/v1/models", true],
    ["api/local", "https://example.org/app/api/local/v1/models", true],
    [undefined, "https://example.org/app/puna.js", false],
    [undefined, "https://example.org/puna/v1/models", false],
    [undefined, "https://example.com/app/puna/v1/models", false],
  ])("of %s: %s, %s", async (path, url, isAnswered) => {
    const { tell } = run(path === undefined ? {} : { path });
    const respondWith = vi.fn<(response: Promise<Response>) => void>();
    const stopImmediatePropagation = vi.fn();
    tell("fetch", { request: new Request(url), clientId: "", respondWith, stopImmediatePropagation });
    const calls = [respondWith, stopImmediatePropagation].map(({ mock }) => mock.calls.length);
    expect(calls).toEqual(isAnswered ? [1, 1] : [0, 0]);
    const answer = await respondWith.mock.calls[0]?.[0];
    if (isAnswered) expect(await answer?.json()).toEqual({ object: "list", data: [] });
  });

  it.each(["", "/app/", "https://example.com/puna"])("refuses the path %j", (path) => {
    expect(() => run({ path })).toThrow("path: expected a folder");
  });
});
