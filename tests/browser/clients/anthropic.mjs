// Written for a hosted API, in the way of the `@anthropic-ai/sdk` package's own documentation. One line of it is changed by
// the test.
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ apiKey: process.env.ANTHROPIC_API_KEY });

const TOOLS = [
  {
    name: "get_weather",
    description: "Get the current weather of a city.",
    input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
];

export async function answer(content, more = {}) {
  const message = await client.messages.create({
    model: "claude-sonnet-4-5",
    max_tokens: 12,
    temperature: 0,
    system: "You are a helpful assistant.",
    messages: [{ role: "user", content }],
    ...more,
  });
  return { text: message.content.map((block) => block.text).join(""), message };
}

export async function streamed(content) {
  const stream = client.messages.stream({
    model: "claude-sonnet-4-5",
    max_tokens: 12,
    temperature: 0,
    system: "You are a helpful assistant.",
    messages: [{ role: "user", content }],
  });
  const pieces = [];
  stream.on("text", (text) => pieces.push(text));
  return { pieces, message: await stream.finalMessage() };
}

/** Lets the model call a tool, and tells it what that says. */
export async function called(question) {
  const messages = [{ role: "user", content: question }];
  const request = { model: "claude-sonnet-4-5", max_tokens: 60, temperature: 0, tools: TOOLS, stop_sequences: ["\n"] };
  const first = await client.messages.create({ ...request, messages });
  if (first.stop_reason !== "tool_use") return { first };
  messages.push({ role: "assistant", content: first.content });
  const results = first.content
    .filter((block) => block.type === "tool_use")
    .map(({ id, input }) => ({ type: "tool_result", tool_use_id: id, content: `${input.city}: 21 degrees, sunny` }));
  messages.push({ role: "user", content: results });
  const second = await client.messages.create({ ...request, messages });
  const again = await client.messages.stream({ ...request, messages: messages.slice(0, 1) }).finalMessage();
  return { first, second, again };
}

const EVENT = {
  type: "object",
  properties: { name: { type: "string", maxLength: 12 }, day: { enum: ["Saturday", "Sunday"] } },
  required: ["name", "day"],
  additionalProperties: false,
};

/** An answer that is JSON as a schema has it. */
export async function structured(content) {
  const message = await client.messages.create({
    model: "claude-sonnet-4-5",
    max_tokens: 200,
    messages: [{ role: "user", content }],
    output_config: { format: { type: "json_schema", schema: EVENT } },
  });
  return JSON.parse(message.content[0].text);
}

/** Has the model call a tool, whatever it is asked. */
export async function required(content) {
  const message = await client.messages.create({
    model: "claude-sonnet-4-5",
    max_tokens: 200,
    messages: [{ role: "user", content }],
    tools: [{ name: "add_event", input_schema: EVENT }],
    tool_choice: { type: "tool", name: "add_event" },
  });
  return message;
}

export async function counted(content) {
  const { input_tokens } = await client.messages.countTokens({
    model: "claude-sonnet-4-5",
    system: "You are a helpful assistant.",
    messages: [{ role: "user", content }],
  });
  return input_tokens;
}

export async function left(content) {
  const stream = await client.messages.create({
    model: "claude-sonnet-4-5",
    max_tokens: 400,
    temperature: 0,
    messages: [{ role: "user", content }],
    stream: true,
  });
  let events = 0;
  for await (const _ of stream) {
    events += 1;
    if (events === 5) break;
  }
  return events;
}

/** What a bad request throws. */
export async function refused(body) {
  try {
    await client.messages.create({ model: "claude-sonnet-4-5", max_tokens: 5, messages: [{ role: "user", content: "Hi" }], ...body });
  } catch (error) {
    const { status, error: sent, requestID } = error;
    return { isBad: error instanceof Anthropic.BadRequestError, status, sent, requestID };
  }
}

export async function aborted(content) {
  const stream = client.messages.stream({
    model: "claude-sonnet-4-5",
    max_tokens: 400,
    temperature: 0,
    messages: [{ role: "user", content }],
  });
  let pieces = 0;
  stream.on("text", () => {
    pieces += 1;
    if (pieces === 3) stream.abort();
  });
  try {
    await stream.finalMessage();
  } catch (error) {
    return { pieces, isAbort: error instanceof Anthropic.APIUserAbortError };
  }
}
