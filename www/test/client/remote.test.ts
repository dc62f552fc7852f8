// Answers of a server by the object interface: whole, streamed, refused, and broken off.
import { describe, expect, it, vi } from "vitest";

import { RemoteError } from "../../src/client.js";
import type { ClientChatCompletionChunk } from "../../src/client/answers.js";
import type { AnswerStream } from "../../src/client/stream.js";
import { AbortError, InvalidRequestError, PunaError } from "../../src/errors.js";
import { rejectionOf, say, until } from "../support.js";
import { BASE, chunk, clientOf, events, far, type Got, json, piecesOf, serverOf } from "./support.js";

const hello = { messages: say("Hello") };
const streamed = { ...hello, stream: true } as const;
const URL_OF_CHAT = `${BASE}/chat/completions`;

/** A client that sends everything to a server, which answers so. */
const farOf = (
  answer: (got: Got) => Response | Promise<Response>,
  remote = {},
): ReturnType<typeof clientOf>["client"] =>
  clientOf(null, serverOf(answer), { policy: "remote", remote }).client;

async function textOf(stream: AsyncIterable<ClientChatCompletionChunk>): Promise<string> {
  let text = "";
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
  return text;
}

describe("a request", () => {
  it("goes where the author says, with their headers and key, and nobody else's", async () => {
    const server = serverOf(far);
    const keys = ["first", "second"];
    const remote = {
      baseURL: "https://far.example.org/openai/v1/?api-version=2#x",
      headers: { "X-Team": "7", accept: "text/plain" },
      apiKey: () => Promise.resolve(keys.shift() ?? ""),
    };
    const { client } = clientOf(null, server, { policy: "remote", remote });
    await client.chat.completions.create(hello);
    await client.models.list();
    const [first, second] = server.got;
    expect(first).toMatchObject({
      url: "https://far.example.org/openai/v1/chat/completions?api-version=2",
      method: "POST",
    });
    expect(Object.fromEntries(first?.headers ?? [])).toEqual({
      accept: "text/plain",
      authorization: "Bearer first",
      "content-type": "application/json",
      "x-team": "7",
    });
    expect(second).toMatchObject({
      url: "https://far.example.org/openai/v1/models?api-version=2",
      method: "GET",
    });
    expect(second?.headers.get("authorization")).toBe("Bearer second");
  });

  it("follows no redirect", async () => {
    const fetch = vi.fn(() => Promise.resolve(far({ body: {}, url: "" } as Got)));
    const { client } = clientOf(null, { fetch: fetch }, { policy: "remote" });
    await client.chat.completions.create(hello);
    expect(fetch).toHaveBeenCalledWith(expect.anything(), expect.objectContaining({ redirect: "error" }));
  });

  it("is not sent without the key that was to be fetched", async () => {
    const server = serverOf(far);
    const failure = new Error("signed out");
    for (const apiKey of [() => Promise.reject(failure), () => undefined as never]) {
      const { client } = clientOf(null, server, { policy: "remote", remote: { apiKey } });
      const error = await rejectionOf(client.chat.completions.create(hello));
      expect(error).toMatchObject({ name: "RemoteError", code: "network", status: null });
      expect((error as Error).message).toContain("nothing was sent");
    }
    expect(server.got).toEqual([]);
  });

  it("is not sent either when it was stopped while the key was fetched", async () => {
    const server = serverOf(far);
    for (const body of [hello, streamed]) {
      const stop = new AbortController();
      const apiKey = (): string => {
        stop.abort("enough");
        return "key";
      };
      const { client } = clientOf(null, server, { policy: "remote", remote: { apiKey } });
      const asked = client.chat.completions.create(body, { signal: stop.signal });
      expect(await rejectionOf(asked)).toMatchObject({ name: "AbortError", cause: "enough" });
    }
    expect(server.got).toEqual([]);
  });

  it("is a copy: what the caller changes meanwhile does not matter", async () => {
    const server = serverOf(far);
    const { client } = clientOf("load_ms=20&fail=network", server, { policy: "local-first" });
    const messages = say("Hello");
    const answer = client.chat.completions.create({ messages });
    messages.push({ role: "user", content: "and more" });
    await answer;
    expect(server.got[0]?.body["messages"]).toEqual(say("Hello"));
  });
});

describe("an answer", () => {
  it("is what the server says, with where it was made, and thoughts by one name", async () => {
    const message = { role: "assistant", content: "yes", reasoning: "hm" };
    const client = farOf(() =>
      json(200, { id: "c", puna: "theirs", choices: [{ index: 0, message }], x: 1 }),
    );
    expect(await client.chat.completions.create(hello)).toEqual({
      id: "c",
      x: 1,
      puna: { ranOn: "remote", reason: "policy" },
      choices: [{ index: 0, message: { role: "assistant", content: "yes", reasoning_content: "hm" } }],
    });
  });

  it.each([
    ["a page", () => new Response("<p>Welcome", { headers: { "content-type": "text/html" } }), "text/html"],
    ["no JSON", () => new Response("{", { headers: { "content-type": "application/json" } }), "choices"],
    ["something else", () => json(200, { ok: true }), "choices"],
    ["nothing", () => new Response(null, { status: 204 }), "choices"],
  ])("that is %s is none", async (_, answer, words) => {
    const error = await rejectionOf(farOf(answer).chat.completions.create(hello));
    expect(error).toMatchObject({ code: "network", details: { ranOn: "remote", url: URL_OF_CHAT } });
    expect((error as Error).message).toContain(words);
  });
});

describe("a stream", () => {
  it("comes chunk by chunk, however it was cut, with thoughts by one name", async () => {
    const thought = `data: {"choices":[{"index":0,"delta":{"reasoning":"hm"},"finish_reason":null}]}\r\n\r\n`;
    const usage = `data: {"choices":[],"usage":{"total_tokens":3}}\n\n`;
    const all = `: hello\n\n${thought}${chunk("ü 🦙")}${chunk("!", "stop")}${usage}data: [DONE]\n\n`;
    const bytes = new TextEncoder().encode(all);
    for (const size of [1, 2, 3, 7, bytes.length]) {
      let at = 0;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (at < bytes.length) controller.enqueue(bytes.subarray(at, (at += size)));
          else controller.close();
        },
      });
      const stream = await farOf(() => events(body)).chat.completions.create(streamed);
      expect(stream.puna).toEqual({ ranOn: "remote", reason: "policy" });
      const chunks: ClientChatCompletionChunk[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      expect(chunks.map(({ choices, puna }) => [choices[0]?.delta, puna.ranOn])).toEqual([
        [{ reasoning_content: "hm" }, "remote"],
        [{ content: "ü 🦙" }, "remote"],
        [{ content: "!" }, "remote"],
        [undefined, "remote"],
      ]);
      expect(chunks.at(-1)?.usage).toEqual({ total_tokens: 3 });
      expect(() => stream[Symbol.asyncIterator]()).toThrow(InvalidRequestError);
    }
  });

  it("may end without a word, if its choices have ended", async () => {
    const body = (): ReadableStream<Uint8Array> => piecesOf([chunk("a"), chunk("b", "length")]);
    const stream = await farOf(() => events(body())).chat.completions.create(streamed);
    expect(await textOf(stream)).toBe("ab");
  });

  it.each([
    ["is done", [chunk("a", "stop"), "data: [DONE]\n\n"]],
    ["is left", [chunk("a"), chunk("b")]],
    ["has failed", [chunk("a"), `data: {"error":"no"}\n\n`]],
  ])("that %s is let go of, and so is the signal", async (name, pieces) => {
    const onLeft = vi.fn();
    const { signal } = new AbortController();
    const [add, remove] = [vi.spyOn(signal, "addEventListener"), vi.spyOn(signal, "removeEventListener")];
    const client = farOf(() => events(piecesOf(pieces, "wait", onLeft)));
    const stream = await client.chat.completions.create(streamed, { signal });
    try {
      // Nothing comes behind what is left.
      for await (const { choices } of stream) if (name === "is left" && choices.length > 0) break;
    } catch (error) {
      expect(error).toBeInstanceOf(RemoteError);
    }
    await until(() => onLeft.mock.calls.length === 1);
    const listeners = add.mock.calls.map(([, listener]) => listener);
    expect(listeners.length).toBeGreaterThan(0);
    for (const listener of listeners) expect(remove).toHaveBeenCalledWith("abort", listener);
  });

  const ERROR = `data: {"error":{"message":"no memory","type":"t","code":503}}\n\n`;
  it.each([
    ["breaks off", () => piecesOf([chunk("a"), chunk("b")], "break"), "network", "network error"],
    ["ends too early", () => piecesOf([chunk("a"), chunk("b")]), "network", "broke off"],
    [
      "ends in an event",
      () => piecesOf([chunk("a"), chunk("b"), chunk("c").slice(0, 9)]),
      "network",
      "broke off",
    ],
    [
      "ends with one choice of two",
      () =>
        piecesOf([
          chunk("ab", "stop"),
          `data: {"choices":[{"index":1,"delta":{},"finish_reason":null}]}\n\n`,
        ]),
      "network",
      "broke off",
    ],
    ["fails", () => piecesOf([chunk("a"), chunk("b"), ERROR]), "busy", "no memory"],
    [
      "fails by name",
      () => piecesOf([chunk("ab"), `event: error\ndata: {"message":"no"}\n\n`]),
      "network",
      "no",
    ],
    [
      "becomes something else",
      () => piecesOf([chunk("ab"), `data: {"choices":3}\n\n`]),
      "network",
      "choices",
    ],
    ["becomes nothing", () => piecesOf([chunk("ab"), "data: null\n\n"]), "network", "choices"],
  ])("that %s is an error, and nobody goes on with it", async (_, body, code, words) => {
    const server = serverOf(() => events(body()));
    const { client, loader } = clientOf("", server, { policy: "remote-first" });
    const stream = await client.chat.completions.create(streamed);
    let text = "";
    const error = await rejectionOf(
      (async () => {
        for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
      })(),
    );
    expect(text).toBe("ab");
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ code, details: { ranOn: "remote", url: URL_OF_CHAT } });
    expect((error as Error).message).toContain(words);
    expect(server.got.length).toBe(1);
    expect(loader).not.toHaveBeenCalled();
  });

  it.each([
    ["an error", () => events(piecesOf([ERROR]))],
    ["nothing", () => events(piecesOf([]))],
    ["JSON", () => json(200, { choices: [] })],
    ["a break", () => events(piecesOf([], "break"))],
  ])("that begins with %s is none, so that the other side may answer", async (_, answer) => {
    expect(await rejectionOf(farOf(answer).chat.completions.create(streamed))).toBeInstanceOf(RemoteError);
    const { client } = clientOf("", serverOf(answer), { policy: "remote-first" });
    const stream = await client.chat.completions.create({ ...streamed, max_tokens: 2 });
    expect(stream.puna.ranOn).toBe("local");
    expect(await textOf(stream)).toBe("The **puna");
  });
});

describe("whoever stops", () => {
  /** A stream that waits after its first chunk, and the signal that its request had. */
  async function waiting(signal?: AbortSignal): Promise<{
    stream: AnswerStream<ClientChatCompletionChunk>;
    got: Got[];
    onLeft: ReturnType<typeof vi.fn>;
  }> {
    const onLeft = vi.fn();
    const server = serverOf((got) => {
      const body = piecesOf([chunk("a"), chunk("b")], "wait", onLeft);
      // As the platform's: a body breaks off with its request.
      const broken = new ReadableStream<Uint8Array>({
        async start(controller) {
          got.signal?.addEventListener("abort", () => {
            controller.error(got.signal?.reason);
            onLeft();
          });
          for await (const piece of body) controller.enqueue(piece);
        },
      });
      return events(broken);
    });
    const { client } = clientOf(null, server, { policy: "remote" });
    const options = signal === undefined ? {} : { signal };
    return { stream: await client.chat.completions.create(streamed, options), got: server.got, onLeft };
  }

  it("by leaving the loop ends the request", async () => {
    const { stream, onLeft } = await waiting();
    for await (const { choices } of stream) {
      expect(choices[0]?.delta.content).toBe("a");
      break;
    }
    expect(onLeft).toHaveBeenCalled();
    const { signal } = new AbortController();
    const [add, remove] = [vi.spyOn(signal, "addEventListener"), vi.spyOn(signal, "removeEventListener")];
    const { stream: unread, got } = await waiting(signal);
    await unread[Symbol.asyncIterator]().return?.();
    expect(got[0]?.signal?.aborted).toBe(true);
    for (const [, listener] of add.mock.calls) expect(remove).toHaveBeenCalledWith("abort", listener);
  });

  it("by the stream's controller has the loop just end", async () => {
    const { stream, onLeft } = await waiting();
    let text = "";
    for await (const { choices } of stream) {
      text += choices[0]?.delta.content ?? "";
      if (text === "ab")
        setTimeout(() => {
          stream.controller.abort();
        }, 5);
    }
    expect(text).toBe("ab");
    expect(onLeft).toHaveBeenCalled();
    const { stream: unread, got } = await waiting();
    unread.controller.abort();
    expect(await textOf(unread)).toBe("");
    expect(got[0]?.signal?.aborted).toBe(true);
  });

  it("by a signal gets an AbortError, in the middle and before", async () => {
    const stop = new AbortController();
    const { stream, onLeft } = await waiting(stop.signal);
    let text = "";
    const error = await rejectionOf(
      (async () => {
        for await (const { choices } of stream) {
          text += choices[0]?.delta.content ?? "";
          if (text === "ab")
            setTimeout(() => {
              stop.abort("enough");
            }, 5);
        }
      })(),
    );
    expect(error).toBeInstanceOf(AbortError);
    expect(error).toMatchObject({ cause: "enough" });
    expect(onLeft).toHaveBeenCalled();

    for (const body of [hello, streamed]) {
      const before = new AbortController();
      const server = serverOf(
        ({ signal }) =>
          new Promise((_, reject) => {
            signal?.addEventListener("abort", () => {
              reject(signal.reason as Error);
            });
          }),
      );
      const { client } = clientOf("", server, { policy: "remote-first" });
      const asked = rejectionOf(client.chat.completions.create(body, { signal: before.signal }));
      await until(() => server.got.length === 1);
      before.abort("enough");
      expect(await asked).toMatchObject({ name: "AbortError", cause: "enough" });
      // The other side is not asked either.
      expect(client.state).toBe("idle");
    }
  });
});

describe("an error", () => {
  const openai = (type: string, param: string | null, code: unknown): object => ({
    error: { message: "the words", type, param, code },
  });

  it.each([
    [400, openai("invalid_request_error", "messages", "invalid_type"), "invalid_request", "messages"],
    [422, { detail: [{ loc: ["body"], msg: "the words" }] }, "invalid_request", null],
    [
      400,
      openai("invalid_request_error", "messages", "context_length_exceeded"),
      "context_length_exceeded",
      "messages",
    ],
    [400, openai("exceed_context_size_error", null, 400), "context_length_exceeded", null],
    [
      400,
      { object: "error", message: "This model's maximum context length is 8 tokens. the words", code: 400 },
      "context_length_exceeded",
      null,
    ],
    [401, openai("invalid_request_error", null, "invalid_api_key"), "network", null],
    [403, "the words", "network", null],
    [404, { error: "the words" }, "network", null],
    [429, openai("tokens", null, "rate_limit_exceeded"), "busy", null],
    [503, openai("unavailable_error", null, 503), "busy", null],
    [529, { type: "error", error: { type: "overloaded_error", message: "the words" } }, "busy", null],
    [500, { message: "the words" }, "network", null],
  ])("with status %i and %j is %s", async (status, body, code, param) => {
    const headers = { "x-request-id": "r-1", "retry-after": "3" };
    const answer = (): Response =>
      typeof body === "string" ? new Response(body, { status, headers }) : json(status, body, headers);
    for (const request of [hello, streamed]) {
      const error = (await rejectionOf(farOf(answer).chat.completions.create(request))) as PunaError;
      const isRequest = code === "invalid_request" || code === "context_length_exceeded";
      expect(error).toBeInstanceOf(PunaError);
      expect(error).toBeInstanceOf(isRequest ? InvalidRequestError : RemoteError);
      expect(error).toMatchObject({
        code,
        details: { ranOn: "remote", status, param, url: URL_OF_CHAT, requestId: "r-1", retryAfter: "3" },
      });
      if (!isRequest) expect(error).toMatchObject({ status });
      expect(error.message).toContain(`POST ${URL_OF_CHAT}`);
      expect(error.message).toContain(String(status));
      expect(error.message).toContain("the words");
    }
  });

  it("says no more of a server's words than can be read", async () => {
    const long = "x".repeat(10_000);
    const error = await rejectionOf(
      farOf(() => json(500, { error: { message: long } })).chat.completions.create(hello),
    );
    expect((error as Error).message.length).toBeLessThan(1500);
    // What is longer than any error is not read to its end.
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(2 ** 14).fill(120));
      },
    });
    const other = await rejectionOf(
      farOf(() => new Response(endless, { status: 500 })).chat.completions.create(hello),
    );
    expect(other).toMatchObject({ code: "network", details: { status: 500 } });
    expect(pulled).toBeLessThan(10);
  });

  it("of no server at all tells what may be the reason, and why it was asked", async () => {
    const cause = new TypeError("Failed to fetch");
    const server = serverOf(() => Promise.reject(cause));
    const { client } = clientOf("fail=unsupported_device", server, { policy: "local-first" });
    const error = await rejectionOf(client.chat.completions.create(hello));
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({
      code: "network",
      status: null,
      cause,
      details: { local: { code: "unsupported_device" }, ranOn: "remote" },
    });
    expect((error as Error).message).toContain("CORS");
  });
});
