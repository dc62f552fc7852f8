// `model.fetch`: what a client of a hosted API sees, by the real `openai` package where it is its business.
import OpenAI from "openai";
import { describe, expect, it } from "vitest";

import { loaded, rejectionOf, until } from "./support.js";

const BASE = "https://api.example.org/v1";

/** A request with a body, as clients send it. */
const post = (body: unknown, init: RequestInit = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", authorization: "Bearer none" },
  body: JSON.stringify(body),
  ...init,
});

const messages = [{ role: "user" as const, content: "Hello" }];

interface Failure {
  error: { message: string; type: string; param: string | null; code: string | null };
}

const failureOf = async (answer: Response): Promise<Failure["error"]> =>
  ((await answer.json()) as Failure).error;

describe("an address", () => {
  it.each([
    `${BASE}/models`,
    `${BASE}/models/`,
    new URL(`${BASE}/models?limit=3`),
    new Request(`${BASE}/models`),
    "https://example.org/an/api/of/mine/models",
  ])("is known by its end: %s", async (url) => {
    const { model } = await loaded();
    const answer = await model.fetch(url);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("x-request-id")).toMatch(/^req_[0-9a-f]{32}$/);
    const list = (await answer.json()) as { data: { id: string; object: string; owned_by: string }[] };
    expect(list.data).toMatchObject([{ id: model.id, object: "model", owned_by: "puna" }]);
  });

  it("that is none of the API's, or asked for in another way, is refused as there", async () => {
    const { model } = await loaded();
    const unknown = await model.fetch(`${BASE}/images/generations`, post({}));
    expect(unknown.status).toBe(404);
    expect(await failureOf(unknown)).toMatchObject({
      message: "Invalid URL (POST /v1/images/generations)",
      type: "invalid_request_error",
      code: null,
    });
    for (const [path, method] of [
      ["chat/completions", "GET"],
      ["models", "DELETE"],
    ] as const) {
      const answer = await model.fetch(`${BASE}/${path}`, { method });
      expect(answer.status).toBe(405);
      expect((await failureOf(answer)).code).toBe("method_not_supported");
    }
    // Clients differ in what they escape.
    for (const id of [model.id, model.id.replaceAll("-", "%2D")]) {
      expect((await model.fetch(`${BASE}/models/${id}`)).status).toBe(200);
    }
    const other = await model.fetch(`${BASE}/models/gpt-9`);
    expect(other.status).toBe(404);
    expect(await failureOf(other)).toMatchObject({ param: "model", code: "model_not_found" });
  });
});

describe("an answer", () => {
  it("is JSON, or events as they are made", async () => {
    const { model } = await loaded();
    const whole = await model.fetch(`${BASE}/chat/completions`, post({ messages, max_tokens: 2 }));
    expect(whole.status).toBe(200);
    expect(await whole.json()).toMatchObject({
      object: "chat.completion",
      choices: [{ finish_reason: "length" }],
    });

    const request = new Request(`${BASE}/chat/completions`, post({ messages, max_tokens: 2, stream: true }));
    const streamed = await model.fetch(request);
    expect(streamed.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const events = (await streamed.text()).split("\n\n");
    expect(events.slice(-2)).toEqual(["data: [DONE]", ""]);
    const chunks = events.slice(0, -2).map((event) => JSON.parse(event.slice("data: ".length)) as object);
    expect(chunks[0]).toMatchObject({ choices: [{ delta: { role: "assistant" } }] });
    expect(chunks.at(-1)).toMatchObject({ choices: [{ delta: {}, finish_reason: "length" }] });
  });

  it.each(["text", "blob", "bytes", "stream"])("is to any kind of body: %s", async (kind) => {
    const { model } = await loaded();
    const text = JSON.stringify({ prompt: "Once" });
    const blob = new Blob([text]);
    const bodies: Record<string, BodyInit> = {
      text,
      blob,
      bytes: new TextEncoder().encode(text),
      stream: blob.stream(),
    };
    const answer = await model.fetch(`${BASE}/completions`, { method: "POST", body: bodies[kind] ?? null });
    expect(await answer.json()).toMatchObject({
      object: "text_completion",
      choices: [{ text: " and so on" }],
    });
  });

  it("that fails has the status and the words that clients branch on", async () => {
    for (const [fail, status, error] of [
      [
        "context_length_exceeded",
        400,
        { type: "invalid_request_error", code: "context_length_exceeded", param: "messages" },
      ],
      ["device_lost", 500, { type: "server_error", code: "device_lost", param: null }],
      ["busy", 429, { type: "rate_limit_error", code: "busy" }],
    ] as const) {
      const { model } = await loaded();
      const content = `/fail ${fail}`;
      const answer = await model.fetch(
        `${BASE}/chat/completions`,
        post({ messages: [{ role: "user", content }] }),
      );
      expect(answer.status).toBe(status);
      expect(answer.headers.get("x-should-retry")).toBe(status === 429 ? null : "false");
      expect(await failureOf(answer)).toMatchObject(error);
      // Here the stream has begun: the failure is its last event.
      const streamed = await model.fetch(
        `${BASE}/chat/completions`,
        post({ messages: [{ role: "user", content }], stream: true }),
      );
      expect(streamed.status).toBe(200);
      const last = (await streamed.text()).trimEnd().split("\n\n").at(-1) ?? "";
      expect(JSON.parse(last.slice("data: ".length))).toMatchObject({ error });
    }
  });

  it("of Anthropic's wire is refused in its own words", async () => {
    const { model } = await loaded();
    const answer = await model.fetch(`${BASE}/messages`, post({ messages }));
    expect(answer.status).toBe(400);
    expect(answer.headers.get("request-id")).toMatch(/^req_/);
    expect(await answer.json()).toEqual({
      type: "error",
      error: { type: "invalid_request_error", message: "max_tokens: Field required" },
      request_id: answer.headers.get("request-id"),
    });
  });

  it("is given up where its signal says so, with the signal's reason", async () => {
    const { model } = await loaded("chunk_ms=5");
    const reason = new Error("enough");
    const early = AbortSignal.abort(reason);
    const body = { messages, stream: true };
    expect(await rejectionOf(model.fetch(`${BASE}/chat/completions`, post(body, { signal: early })))).toBe(
      reason,
    );

    const abort = new AbortController();
    const whole = model.fetch(`${BASE}/chat/completions`, post({ messages }, { signal: abort.signal }));
    abort.abort(reason);
    expect(await rejectionOf(whole)).toBe(reason);

    const late = new AbortController();
    const streamed = await model.fetch(`${BASE}/chat/completions`, post(body, { signal: late.signal }));
    const reader = streamed.body?.getReader();
    await reader?.read();
    late.abort(reason);
    expect(await rejectionOf(Promise.resolve(reader?.read()))).toBe(reason);
    // Nothing of the old answer holds the next one up.
    const next = await model.fetch(`${BASE}/chat/completions`, post({ messages, max_tokens: 1 }));
    expect(next.status).toBe(200);
  });

  it("that nobody reads to its end is not made to its end", async () => {
    const { model, worker } = await loaded("chunk_ms=5");
    const streamed = await model.fetch(`${BASE}/chat/completions`, post({ messages, stream: true }));
    await streamed.body?.cancel();
    await until(() => worker.received.some(({ kind }) => kind === "cancel"));
  });
});

describe("the openai package", () => {
  const clientOf = (fetch: typeof globalThis.fetch): OpenAI => new OpenAI({ apiKey: "none", fetch });

  it("takes it for its own server", async () => {
    const { model } = await loaded();
    const client = clientOf(model.fetch);
    const whole = await client.chat.completions.create({ model: "any", messages, max_completion_tokens: 3 });
    expect(whole.choices[0]?.message.role).toBe("assistant");
    const stream = await client.chat.completions.create({
      model: "any",
      messages,
      stream: true,
      max_completion_tokens: 3,
    });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe(whole.choices[0]?.message.content);
    const completion = await client.completions.create({ model: "any", prompt: "Once" });
    expect(completion.choices[0]?.text).toBe(" and so on");
    const models = await client.models.list();
    expect(models.data.map(({ id }) => id)).toEqual([model.id]);
    expect((await client.models.retrieve(model.id)).object).toBe("model");
  });

  it("throws its own classes, once", async () => {
    const { model, worker } = await loaded();
    const client = clientOf(model.fetch);
    const tooLong = client.chat.completions.create({
      model: "any",
      messages: [{ role: "user", content: "/fail context_length_exceeded" }],
    });
    const error = await rejectionOf(tooLong);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ status: 400, code: "context_length_exceeded", param: "messages" });
    const lost = client.chat.completions.create({
      model: "any",
      messages: [{ role: "user", content: "/fail device_lost" }],
    });
    expect(await rejectionOf(lost)).toBeInstanceOf(OpenAI.InternalServerError);
    const asked = worker.received.filter(({ kind }) => kind === "chat");
    expect(asked).toHaveLength(2);
    expect(await rejectionOf(client.models.retrieve("gpt-9"))).toBeInstanceOf(OpenAI.NotFoundError);
    const abort = new AbortController();
    const given = client.chat.completions.create({ model: "any", messages }, { signal: abort.signal });
    abort.abort();
    expect(await rejectionOf(given)).toBeInstanceOf(OpenAI.APIUserAbortError);
  });
});
