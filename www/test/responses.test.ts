// `/v1/responses`: what is kept of answers so that later requests can refer to them, by the real `openai` package.
import OpenAI from "openai";
import { describe, expect, it } from "vitest";

import { loaded, rejectionOf } from "./support.js";

const BASE = "https://api.example.org/v1";

async function clientOf(query = ""): Promise<{ client: OpenAI; fetch: typeof globalThis.fetch }> {
  const { model } = await loaded(query);
  return { client: new OpenAI({ apiKey: "none", fetch: model.fetch }), fetch: model.fetch };
}

/** The fake answers with the number of items it was asked with. */
const ask = (client: OpenAI, more: object): Promise<OpenAI.Responses.Response> =>
  client.responses.create({ model: "any", input: "Hello", ...more, stream: false });

describe("a response", () => {
  it("is gone on from, whole or streamed", async () => {
    const { client } = await clientOf();
    const first = await ask(client, {});
    expect(first.output_text).toBe("1");
    const second = await ask(client, { previous_response_id: first.id });
    expect(second.output_text, "question, answer, question").toBe("3");
    const stream = await client.responses.create({
      model: "any",
      input: [{ role: "user", content: "And?" }],
      previous_response_id: second.id,
      stream: true,
    });
    let third: OpenAI.Responses.Response | null = null;
    for await (const event of stream) if (event.type === "response.completed") third = event.response;
    expect(third?.output[0]).toMatchObject({ content: [{ text: "5" }] });
    const fourth = await ask(client, { previous_response_id: third?.id });
    expect(fourth.output_text).toBe("7");
    // Another branch of it.
    expect((await ask(client, { previous_response_id: first.id })).output_text).toBe("3");
  });

  it("is kept under its id, with what it answered, until it is deleted", async () => {
    const { client } = await clientOf();
    const first = await ask(client, {});
    const second = await ask(client, { previous_response_id: first.id });
    expect(await client.responses.retrieve(second.id)).toMatchObject({ id: second.id, object: "response" });
    const items = await client.responses.inputItems.list(second.id);
    expect(items.data).toHaveLength(3);
    expect(items.data[0], "the newest first").toMatchObject({ role: "user", content: [{ text: "Hello" }] });
    await client.responses.delete(first.id);
    expect(await rejectionOf(client.responses.retrieve(first.id))).toBeInstanceOf(OpenAI.NotFoundError);
    const error = await rejectionOf(ask(client, { previous_response_id: second.id }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({
      status: 400,
      param: "previous_response_id",
      code: "previous_response_not_found",
    });
  });

  it("is not kept where that is not wanted", async () => {
    const { client } = await clientOf();
    const { id } = await ask(client, { store: false });
    expect(await rejectionOf(client.responses.retrieve(id))).toMatchObject({ status: 404 });
  });

  it("has items that are referred to", async () => {
    const { client, fetch } = await clientOf();
    const first = await ask(client, {});
    const input = [
      { type: "item_reference", id: first.output[0]?.id },
      { role: "user", content: "And?" },
    ];
    expect((await ask(client, { input })).output_text).toBe("2");
    const counted = await client.responses.inputTokens.count({ model: "any", input: "Hello" });
    expect(counted.object).toBe("response.input_tokens");
    const missing = [{ type: "item_reference", id: "msg_none" }];
    const body = JSON.stringify({ input: missing });
    const answer = await fetch(`${BASE}/responses`, { method: "POST", body });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({
      error: { param: "input[0]", message: "Item with id 'msg_none' not found." },
    });
  });

  it("that fails ends with an event of its own", async () => {
    const { client, fetch } = await clientOf("fail_chat=device_lost");
    const body = JSON.stringify({ input: "Hello", stream: true });
    const answer = await fetch(`${BASE}/responses`, { method: "POST", body });
    const events = (await answer.text()).trimEnd().split("\n\n");
    expect(events.map((event) => event.split("\n")[0])).toEqual(["event: response.created", "event: error"]);
    const last = events[1]?.split("\ndata: ")[1] ?? "";
    expect(JSON.parse(last)).toMatchObject({ type: "error", code: "device_lost", sequence_number: 1 });
    const stream = await client.responses.create({ model: "any", input: "Hello", stream: true });
    const read = (async () => {
      for await (const event of stream) expect(event.type).toBe("response.created");
    })();
    expect(await rejectionOf(read)).toBeInstanceOf(OpenAI.APIError);
    // A request without an input, of the engine's own refusal.
    expect(await rejectionOf(ask(client, { input: undefined }))).toMatchObject({
      status: 400,
      param: "input",
    });
  });

  it("gives way to newer ones when there are too many", async () => {
    const { client } = await clientOf();
    const first = await ask(client, {});
    const long = "x".repeat(6_000_000);
    for (let ix = 0; ix < 3; ix++) await ask(client, { input: long });
    expect(await rejectionOf(client.responses.retrieve(first.id))).toMatchObject({ status: 404 });
  });
});
