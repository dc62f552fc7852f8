// Written for a hosted API, in the way of the `openai` package's own documentation. One line of it is changed by the test.
import OpenAI from "openai";

const client = new OpenAI({ apiKey: process.env.OPENAI_API_KEY });

function asked(content) {
  return {
    model: "gpt-5",
    messages: [
      { role: "developer", content: "You are a helpful assistant." },
      { role: "user", content },
    ],
    temperature: 0,
    max_completion_tokens: 12,
  };
}

export async function answer(content) {
  const completion = await client.chat.completions.create(asked(content));
  return completion.choices[0].message.content;
}

export async function streamed(content) {
  const stream = await client.chat.completions.create({
    ...asked(content),
    stream: true,
    stream_options: { include_usage: true },
  });
  const deltas = [];
  let usage = null;
  for await (const chunk of stream) {
    deltas.push(chunk.choices[0]?.delta?.content ?? "");
    usage = chunk.usage ?? usage;
  }
  return { deltas, usage };
}

/** By the package's helper, which puts the chunks together itself. */
export async function helped(content) {
  const runner = client.chat.completions.stream(asked(content));
  return runner.finalContent();
}

/** Lets the model call a tool, and tells it what that says. */
export async function called(question) {
  const tools = [
    {
      type: "function",
      function: {
        name: "get_weather",
        description: "Get the current weather of a city.",
        parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    },
  ];
  const messages = [{ role: "user", content: question }];
  const first = await client.chat.completions.create({ model: "gpt-5", messages, tools, temperature: 0, stop: ["\n"], max_completion_tokens: 60 });
  const { message, finish_reason } = first.choices[0];
  if (finish_reason !== "tool_calls") return { message, finish_reason };
  messages.push(message);
  for (const call of message.tool_calls) {
    const { city } = JSON.parse(call.function.arguments);
    messages.push({ role: "tool", tool_call_id: call.id, content: `${city}: 21 degrees, sunny` });
  }
  const second = await client.chat.completions.create({ model: "gpt-5", messages, tools, temperature: 0, stop: ["\n"], max_completion_tokens: 30 });
  const runner = client.chat.completions.stream({ model: "gpt-5", messages: [messages[0]], tools, temperature: 0, stop: ["\n"], max_completion_tokens: 60 });
  const streamed = await runner.finalMessage();
  return { message, finish_reason, answer: second.choices[0].message.content, streamed };
}

const EVENT = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 12 },
    day: { enum: ["Saturday", "Sunday"] },
    guests: { type: "array", items: { type: "integer", minimum: 1, maximum: 99 }, maxItems: 2 },
  },
  required: ["name", "day", "guests"],
  additionalProperties: false,
};

/** An answer that is JSON as a schema has it. */
export async function structured(content, temperature) {
  const response_format = { type: "json_schema", json_schema: { name: "event", strict: true, schema: EVENT } };
  const request = { model: "gpt-5", messages: [{ role: "user", content }], response_format, temperature, seed: 1 };
  const completion = await client.chat.completions.create(request);
  const streamed = await client.chat.completions.stream(request).finalContent();
  return [completion.choices[0].message.content, streamed].map((text) => JSON.parse(text));
}

/** Has the model call a tool, whatever it is asked. */
export async function required(content) {
  const tools = [{ type: "function", function: { name: "add_event", strict: true, parameters: EVENT } }];
  const messages = [{ role: "user", content }];
  const tool_choice = { type: "function", function: { name: "add_event" } };
  const completion = await client.chat.completions.create({ model: "gpt-5", messages, tools, tool_choice });
  return completion.choices[0];
}

/** By OpenAI's newer API, which knows what was said before. */
export async function responded(input) {
  const request = { model: "gpt-5", instructions: "You are a helpful assistant.", temperature: 0, max_output_tokens: 12 };
  const first = await client.responses.create({ ...request, input });
  const second = await client.responses.create({ ...request, input: "And then?", previous_response_id: first.id });
  const streamed = [];
  const runner = client.responses.stream({ ...request, input });
  runner.on("response.output_text.delta", ({ delta }) => streamed.push(delta));
  const whole = await runner.finalResponse();
  const counted = await client.responses.inputTokens.count({ model: "gpt-5", instructions: request.instructions, input });
  return { first, second, streamed, whole, counted };
}

/** The same with JSON as a schema has it, and with a call. */
export async function respondedInForm(input) {
  const format = { type: "json_schema", name: "event", strict: true, schema: EVENT };
  const parsed = await client.responses.parse({ model: "gpt-5", input, text: { format } });
  const tools = [{ type: "function", name: "add_event", strict: true, parameters: EVENT }];
  const history = [{ role: "user", content: input }];
  const request = { model: "gpt-5", tools, tool_choice: "required", parallel_tool_calls: false };
  const first = await client.responses.create({ ...request, input: history });
  const calls = first.output.filter(({ type }) => type === "function_call");
  history.push(...first.output);
  for (const { call_id } of calls) history.push({ type: "function_call_output", call_id, output: "done" });
  const second = await client.responses.create({ model: "gpt-5", tools, input: history, max_output_tokens: 5 });
  return { event: JSON.parse(parsed.output_text), calls, second };
}

/** What leaves and bad requests come to. */
export async function respondedBadly(input) {
  const stream = await client.responses.create({ model: "gpt-5", input, stream: true, temperature: 0 });
  let deltas = 0;
  for await (const { type } of stream) {
    deltas += type === "response.output_text.delta" ? 1 : 0;
    if (deltas === 3) break;
  }
  try {
    await client.responses.create({ model: "gpt-5", input, tools: [{ type: "web_search" }] });
  } catch (error) {
    const { status, param, code } = error;
    return { deltas, refused: { isBad: error instanceof OpenAI.BadRequestError, status, param, code } };
  }
}

export async function completed(prompt) {
  const { choices } = await client.completions.create({ model: "gpt-3.5-turbo-instruct", prompt, max_tokens: 5, temperature: 0, n: 2 });
  return choices.map(({ text }) => text);
}

export async function embedded(input) {
  const { data } = await client.embeddings.create({ model: "text-embedding-3-small", input });
  return data.map(({ embedding }) => Array.from(embedding));
}

export async function models() {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  return ids;
}

export async function left(content) {
  const stream = await client.chat.completions.create({
    model: "gpt-5",
    temperature: 0,
    messages: [{ role: "user", content }],
    stream: true,
  });
  let chunks = 0;
  for await (const _ of stream) {
    chunks += 1;
    if (chunks === 3) stream.controller.abort();
  }
  return chunks;
}

/** What a bad request throws. */
export async function refused(body) {
  try {
    await client.chat.completions.create({ model: "gpt-5", messages: [{ role: "user", content: "Hi" }], ...body });
  } catch (error) {
    const { status, code, param, type, requestID } = error;
    return { isBad: error instanceof OpenAI.BadRequestError, status, code, param, type, requestID };
  }
}

export async function aborted(content) {
  const controller = new AbortController();
  const answer = client.chat.completions.create(
    { model: "gpt-5", n: 128, messages: [{ role: "user", content }] },
    { signal: controller.signal },
  );
  setTimeout(() => controller.abort(), 50);
  try {
    await answer;
  } catch (error) {
    return error instanceof OpenAI.APIUserAbortError;
  }
}
