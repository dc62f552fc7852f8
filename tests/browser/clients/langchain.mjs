// Written for a hosted API, in the way of LangChain's own documentation. One line of it is changed by the test.
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import OpenAI from "openai";
import { z } from "zod";

const hosted = { apiKey: process.env.OPENAI_API_KEY };
const llm = new ChatOpenAI({ model: "gpt-5", temperature: 0, maxTokens: 12, ...hosted });
const embeddings = new OpenAIEmbeddings({ model: "text-embedding-3-small", ...hosted });

const asked = (text) => [
  ["system", "You are a helpful assistant."],
  ["human", text],
];

export async function answer(text) {
  const { content, usage_metadata, response_metadata } = await llm.invoke(asked(text));
  return { content, usage: usage_metadata, reason: response_metadata.finish_reason };
}

/** By the pieces themselves, and put together by the package. */
export async function streamed(text) {
  const pieces = [];
  let whole;
  for await (const chunk of await llm.stream(asked(text))) {
    pieces.push(chunk.content);
    whole = whole === undefined ? chunk : whole.concat(chunk);
  }
  return { pieces, content: whole.content, usage: whole.usage_metadata };
}

/** By OpenAI's newer wire. */
export async function responded(text) {
  const model = new ChatOpenAI({ model: "gpt-5", temperature: 0, maxTokens: 12, useResponsesApi: true, ...hosted });
  const whole = await model.invoke(asked(text));
  const pieces = [];
  for await (const chunk of await model.stream(asked(text))) if (chunk.text !== "") pieces.push(chunk.text);
  return { text: whole.text, usage: whole.usage_metadata, pieces };
}

/** Several at a time. */
export async function batched(texts) {
  const messages = await llm.batch(texts.map(asked));
  return messages.map(({ content }) => content);
}

/** Lets the model call a tool, tells it what that says, and has the same call streamed. */
export async function called(question) {
  const weather = tool(({ city }) => `${city}: 21 degrees, sunny`, {
    name: "get_weather",
    description: "Get the current weather of a city.",
    schema: z.object({ city: z.string() }),
  });
  const model = new ChatOpenAI({ model: "gpt-5", temperature: 0, maxTokens: 60, stop: ["\n"], ...hosted }).bindTools([weather]);
  const messages = [new HumanMessage(question)];
  const first = await model.invoke(messages);
  messages.push(first);
  let isToolMessage = true;
  for (const call of first.tool_calls) {
    const result = await weather.invoke(call);
    isToolMessage &&= result instanceof ToolMessage;
    messages.push(result);
  }
  const second = await model.invoke(messages);
  let whole;
  for await (const chunk of await model.stream(question)) whole = whole === undefined ? chunk : whole.concat(chunk);
  const plain = ({ tool_calls }) => tool_calls.map(({ name, args }) => ({ name, args }));
  return { calls: plain(first), isToolMessage, answer: second.content, streamed: plain(whole) };
}

const event = z.object({
  name: z.string().max(12),
  day: z.enum(["Saturday", "Sunday"]),
  guests: z.array(z.int().min(1).max(99)).max(2),
});

/** Objects that a schema describes, in each of the ways that there are. */
export async function structured(text) {
  const model = new ChatOpenAI({ model: "gpt-5", modelKwargs: { seed: 1 }, ...hosted });
  const objects = {};
  for (const method of ["jsonSchema", "functionCalling"]) {
    objects[method] = await model.withStructuredOutput(event, { name: "event", method, strict: true }).invoke(text);
  }
  return objects;
}

export async function embedded(texts) {
  return { vectors: await embeddings.embedDocuments(texts), query: await embeddings.embedQuery(texts[0]) };
}

/** Stops after some pieces of the first of many answers. */
export async function aborted(text) {
  const controller = new AbortController();
  let pieces = 0;
  try {
    const model = new ChatOpenAI({ model: "gpt-5", n: 128, ...hosted });
    for await (const _ of await model.stream(text, { signal: controller.signal })) {
      pieces += 1;
      if (pieces === 3) controller.abort();
    }
    return { pieces };
  } catch (error) {
    return { pieces, name: error.name };
  }
}

/** What a bad request throws. */
export async function refused(settings, text = "Hi") {
  try {
    await new ChatOpenAI({ model: "gpt-5", ...hosted, ...settings }).invoke(text);
  } catch (error) {
    const { name, status, code, param, type, requestID } = error;
    return { isBad: error instanceof OpenAI.BadRequestError, name, status, code, param, type, requestID };
  }
}
