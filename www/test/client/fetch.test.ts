// `client.fetch`: what a client of a hosted API sees of either side.
import OpenAI from "openai";
import { describe, expect, it } from "vitest";

import { rejectionOf, say, until } from "../support.js";
import { chunk, clientOf, events, far, type Got, json, piecesOf, serverOf } from "./support.js";

const ANY = "https://api.example.com/v1";
const hello = { model: "gpt-5", messages: say("Hello"), max_tokens: 2 };
const post = (body: unknown, init: RequestInit = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", authorization: "Bearer caller", "x-stainless-os": "x" },
  body: JSON.stringify(body),
  ...init,
});
const ranOf = ({ headers }: Response): (string | null)[] => [
  headers.get("x-puna-ran-on"),
  headers.get("x-puna-reason"),
];

/** The error of an answer in OpenAI's words. */
const codeOf = async (answer: Response): Promise<string | null> =>
  ((await answer.json()) as { error: { code: string | null } }).error.code;

describe("fetch", () => {
  it("answers here by the model's own, and says so", async () => {
    const server = serverOf(far);
    const { client } = clientOf("", server, { policy: "local-first" });
    const answer = await client.fetch(`${ANY}/chat/completions`, post(hello));
    expect(ranOf(answer)).toEqual(["local", "policy"]);
    expect(await answer.json()).toMatchObject({ choices: [{ message: { content: "The **puna" } }] });
    const refused = await client.fetch(`${ANY}/chat/completions`, post({ messages: [] }));
    expect([refused.status, ...ranOf(refused)]).toEqual([400, "local", "policy"]);
    expect((await client.fetch(`${ANY}/images/generations`, post({}))).status).toBe(404);
    expect((await client.fetch(`${ANY}/embeddings`)).status).toBe(405);
    expect(server.got).toEqual([]);
  });

  it("sends what can't be answered here, without the caller's keys", async () => {
    const server = serverOf(far);
    const { client } = clientOf("fail=unsupported_device", server, {
      policy: "local-first",
      remote: { apiKey: "ours" },
    });
    const request = new Request(`${ANY}/chat/completions?beta=true`, post(hello));
    const answer = await client.fetch(request);
    expect(ranOf(answer)).toEqual(["remote", "unsupported_device"]);
    expect(await answer.json()).toMatchObject({ choices: [{ message: { content: "far away" } }] });
    const [got] = server.got;
    expect(got?.url).toBe("https://far.example.org/v1/chat/completions?beta=true");
    expect(got?.body).toEqual({ ...hello, model: "far-1" });
    expect(Object.fromEntries(got?.headers ?? [])).toEqual({
      authorization: "Bearer ours",
      "content-type": "application/json",
    });
    const anthropic = { "anthropic-version": "2023-06-01", "x-api-key": "caller" };
    await client.fetch(`${ANY}/messages`, post({ max_tokens: 1 }, { headers: anthropic }));
    expect(server.got[1]?.url).toBe("https://far.example.org/v1/messages");
    expect(server.got[1]?.headers.get("anthropic-version")).toBe("2023-06-01");
    expect(server.got[1]?.headers.get("x-api-key")).toBeNull();
    await client.fetch(`${ANY}/models/far-1`);
    expect(server.got[2]).toMatchObject({ url: "https://far.example.org/v1/models/far-1", method: "GET" });
    // What is no JSON is the server's to refuse.
    const broken = { ...serverOf((got) => json(200, got.body)) };
    const raw: unknown[] = [];
    const spy: typeof fetch = (_, init) => {
      raw.push(init?.body);
      return broken.fetch(ANY);
    };
    const { client: sending } = clientOf(null, { fetch: spy }, { policy: "remote" });
    await sending.fetch(`${ANY}/chat/completions`, post(null, { body: "{" }));
    await sending.fetch(`${ANY}/chat/completions`, post(null, { body: '"text"' }));
    expect(raw).toEqual(["{", '"text"']);
  });

  it("gives a server's errors as they are", async () => {
    const body = {
      error: { message: "slow down", type: "tokens", param: null, code: "rate_limit_exceeded" },
    };
    const server = serverOf(() => json(429, body, { "retry-after": "7", "x-mine": "1" }));
    const { client } = clientOf(null, server, { policy: "remote" });
    const answer = await client.fetch(`${ANY}/chat/completions`, post(hello));
    expect(answer.status).toBe(429);
    expect([answer.headers.get("retry-after"), answer.headers.get("x-mine")]).toEqual(["7", "1"]);
    expect(ranOf(answer)).toEqual(["remote", "policy"]);
    expect(await answer.json()).toEqual(body);
    const failure = new TypeError("Failed to fetch");
    const { client: cut } = clientOf(
      null,
      serverOf(() => Promise.reject(failure)),
      { policy: "remote" },
    );
    expect(await rejectionOf(cut.fetch(`${ANY}/models`))).toBe(failure);
    // One that never ends is given as it comes.
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(2 ** 14).fill(120));
      },
    });
    const { client: flooded } = clientOf(
      null,
      serverOf(() => new Response(endless, { status: 500 })),
      { policy: "remote" },
    );
    const flood = await flooded.fetch(`${ANY}/models`);
    expect((await flood.body?.getReader().read())?.value?.length).toBe(2 ** 14);
    // What can't be asked there is refused as it would be.
    const regex = await client.fetch(`${ANY}/chat/completions`, post({ ...hello, puna: { regex: "a" } }));
    expect([regex.status, server.got.length]).toEqual([400, 1]);
  });

  it("answers here what a server that is asked first has no room for, and gives its other refusals", async () => {
    let error: object = { type: "exceed_context_size_error", message: "too long", code: 400 };
    const server = serverOf(() => json(400, { error }));
    const { client } = clientOf("", server, { policy: "remote-first" });
    const ask = (): Promise<Response> => client.fetch(`${ANY}/chat/completions`, post(hello));
    expect(ranOf(await ask())).toEqual(["local", "context_length_exceeded"]);
    error = { type: "invalid_request_error", message: "no", code: null };
    const refused = await ask();
    expect([refused.status, ...ranOf(refused)]).toEqual([400, "remote", "policy"]);
    expect(await refused.json()).toEqual({ error });
  });

  it("gives a stream's bytes as they are, and lets go of it", async () => {
    const pieces = [": hi\n\n", chunk("a"), chunk("b", "stop"), "data: [DONE]\n\n"];
    let isLeft = false;
    let end: "end" | "wait" = "end";
    const server = serverOf(() =>
      events(
        piecesOf(pieces, end, () => {
          isLeft = true;
        }),
      ),
    );
    const { client } = clientOf(null, server, { policy: "remote" });
    const ask = (): Promise<Response> =>
      client.fetch(`${ANY}/chat/completions`, post({ ...hello, stream: true }));
    const answer = await ask();
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    expect(await answer.text()).toBe(pieces.join(""));
    end = "wait";
    const reader = (await ask()).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await until(() => isLeft);
  });

  it("fails here in the words of the API that was asked, and asks the policy by them", async () => {
    const questions: unknown[] = [];
    const { client } = clientOf("fail=unsupported_device", serverOf(far), {
      policy: ({ reason, error, request }) => {
        questions.push([reason, error.code, request.path]);
        return "local";
      },
    });
    const chat = await client.fetch(`${ANY}/chat/completions`, post(hello));
    expect([chat.status, ...ranOf(chat), await codeOf(chat)]).toEqual([
      500,
      "local",
      "policy",
      "unsupported_device",
    ]);
    // The status of what could not be loaded is not the answer's.
    const { client: cut } = clientOf("fail=network", null);
    expect((await cut.fetch(`${ANY}/chat/completions`, post(hello))).status).toBe(500);
    const message = await client.fetch(`${ANY}/messages`, post({}));
    expect(await message.json()).toMatchObject({ type: "error", error: { type: "api_error" } });
    // A loaded model's own errors are known by their codes, on every wire.
    const { client: running } = clientOf("", serverOf(far), {
      policy: ({ reason, error, request }) => {
        questions.push([reason, error.code, request.path]);
        return "remote";
      },
    });
    const long = { ...hello, messages: say("/fail context_length_exceeded"), max_tokens: 9 };
    const sent = await running.fetch(`${ANY}/chat/completions`, post(long));
    expect(ranOf(sent)).toEqual(["remote", "context_length_exceeded"]);
    expect(running.state).toBe("ready");
    const { client: losing } = clientOf("", null);
    const lost = { ...hello, messages: say("/fail device_lost"), max_tokens: 9 };
    expect((await losing.fetch(`${ANY}/chat/completions`, post(lost))).status).toBe(500);
    expect((await losing.fetch(`${ANY}/chat/completions`, post({ ...hello, max_tokens: 2 }))).status).toBe(
      200,
    );
    expect(questions).toEqual([
      ["unsupported_device", "unsupported_device", "/chat/completions"],
      ["unsupported_device", "unsupported_device", "/messages"],
      ["context_length_exceeded", "context_length_exceeded", "/chat/completions"],
    ]);
  });

  it("is stopped as the platform's is", async () => {
    const server = serverOf(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener("abort", () => {
            reject(signal.reason as Error);
          });
        }),
    );
    for (const query of ["load_ms=5000", "fail=network"]) {
      const { client } = clientOf(query, server, { policy: "local-first" });
      const stop = new AbortController();
      const asked = client.fetch(`${ANY}/chat/completions`, post(hello, { signal: stop.signal }));
      await until(() => client.state === (query === "fail=network" ? "failed" : "loading"));
      const reason = new Error("enough");
      stop.abort(reason);
      expect(await rejectionOf(asked)).toBe(reason);
      expect(await rejectionOf(client.fetch(`${ANY}/models`, { signal: stop.signal }))).toBe(reason);
    }
  });
});

describe("responses", () => {
  /** A server that keeps what it answers, and one that has nothing but the model's. */
  const farOne = ({ url, body, method }: Got): Response => {
    const response = { id: "resp_far", object: "response", output: [] };
    if (method === "GET" || body["stream"] !== true) return json(200, response);
    const event = (type: string): string =>
      `event: ${type}\ndata: ${JSON.stringify({ type, response, url })}\n\n`;
    return events(piecesOf([event("response.created"), event("response.completed")]));
  };

  it.each([false, true])("are gone on with where they are kept (streamed: %s)", async (stream) => {
    let isBusy = true;
    const server = serverOf(farOne);
    const { client, workers } = clientOf("", server, { policy: "local-first" });
    const ask = (body: object): Promise<Response> =>
      client.fetch(`${ANY}/responses`, post({ input: "Hello", stream, ...body }));
    const near = await ask({});
    expect(ranOf(near)).toEqual(["local", "policy"]);
    expect(await near.text()).toContain("resp_1");
    const { client: other } = clientOf("fail=network", server, {
      policy: ({ reason }) => (isBusy || reason === "kept" ? "remote" : "local"),
    });
    const away = await other.fetch(`${ANY}/responses`, post({ input: "Hello", stream }));
    expect(ranOf(away)).toEqual(["remote", "network"]);
    expect(await away.text()).toContain("resp_far");
    isBusy = false;
    // The server has it: the model here could not go on from it, and is not asked to.
    const next = await other.fetch(
      `${ANY}/responses`,
      post({ input: "And?", previous_response_id: "resp_far", stream }),
    );
    expect(ranOf(next)).toEqual(["remote", "kept"]);
    const read = await other.fetch(`${ANY}/responses/resp_far`);
    expect([read.status, ...ranOf(read)]).toEqual([200, "remote", "kept"]);
    // The page has it: the server is not told of it, whatever happens here.
    const sent = server.got.length;
    workers[0]?.crash("out of memory");
    const again = await ask({ previous_response_id: "resp_1" });
    expect([again.ok, ...ranOf(again)]).toEqual([true, "local", "policy"]);
    const unknown = await ask({ previous_response_id: "resp_unknown" });
    expect([unknown.ok, ...ranOf(unknown)]).toEqual([false, "local", "policy"]);
    const item = await ask({ input: [{ type: "item_reference", id: "msg_1" }] });
    expect([item.ok, ...ranOf(item)]).toEqual([true, "local", "policy"]);
    expect(server.got.length).toBe(sent);
  });

  it("of a page that sends nothing are refused, wherever they are", async () => {
    const server = serverOf(farOne);
    const { client } = clientOf("", server);
    const answer = await client.fetch(
      `${ANY}/responses`,
      post({ input: "a", previous_response_id: "resp_far" }),
    );
    expect([answer.status, await codeOf(answer)]).toEqual([400, "previous_response_not_found"]);
    expect(server.got).toEqual([]);
  });

  it("that the page keeps are not looked for on a server that is asked first", async () => {
    let status = 500;
    const server = serverOf((got) => (status === 200 ? farOne(got) : json(status, { error: {} })));
    const { client } = clientOf("", server, { policy: "remote-first" });
    const ask = (body: object): Promise<Response> =>
      client.fetch(`${ANY}/responses`, post({ input: "Hello", ...body }));
    const near = await ask({});
    expect(ranOf(near)).toEqual(["local", "network"]);
    await near.text();
    status = 200;
    const next = await ask({ previous_response_id: "resp_1" });
    expect([next.status, ...ranOf(next)]).toEqual([200, "local", "kept"]);
    expect(server.got.length).toBe(1);
    expect(ranOf(await ask({}))).toEqual(["remote", "policy"]);
    // The server's own can't be gone on with here when it fails.
    status = 500;
    const failed = await ask({ previous_response_id: "resp_far" });
    expect([failed.status, ...ranOf(failed)]).toEqual([500, "remote", "policy"]);
  });
});

describe("the openai package", () => {
  it("works over it, with the server's errors as its own", async () => {
    let isLimited = false;
    const server = serverOf((got) =>
      isLimited
        ? json(429, { error: { message: "slow", type: "tokens", code: "c", param: null } })
        : far(got),
    );
    const { client } = clientOf("fail=network", server, { policy: "local-first" });
    const openai = new OpenAI({ apiKey: "none", fetch: client.fetch, maxRetries: 0 });
    const { data, response } = await openai.chat.completions.create(hello).withResponse();
    expect(data.choices[0]?.message.content).toBe("far away");
    expect(ranOf(response)).toEqual(["remote", "network"]);
    const stream = await openai.chat.completions.create({ ...hello, stream: true });
    let text = "";
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
    expect(text).toBe("far away");
    isLimited = true;
    const error = await rejectionOf(openai.chat.completions.create(hello));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ status: 429, code: "c", type: "tokens" });
  });
});
