// Written for a hosted API, in the way of the AI SDK's own documentation. One line of it is changed by the test.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, embedMany, generateObject, generateText, isStepCount, Output, streamText, tool } from "ai";
import { z } from "zod";

const provider = createOpenAICompatible({
  name: "hosted",
  baseURL: "https://api.example.com/v1",
  apiKey: process.env.PROVIDER_API_KEY,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const model = provider("chat-large");

function asked(prompt) {
  return { model, instructions: "You are a helpful assistant.", prompt, temperature: 0, maxOutputTokens: 12 };
}

export async function answer(prompt) {
  const { text, finishReason, usage, response } = await generateText(asked(prompt));
  return { text, finishReason, usage, modelId: response.modelId };
}

export async function streamed(prompt) {
  const result = streamText(asked(prompt));
  const pieces = [];
  for await (const piece of result.textStream) pieces.push(piece);
  return { pieces, finishReason: await result.finishReason, usage: await result.usage };
}

/** Lets the model call a tool and answer by what that says, whole and streamed. */
export async function called(prompt) {
  const weather = tool({
    description: "Get the current weather of a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: ({ city }) => `${city}: 21 degrees, sunny`,
  });
  const request = {
    model,
    prompt,
    tools: { get_weather: weather },
    stopWhen: isStepCount(2),
    temperature: 0,
    stopSequences: ["\n"],
    maxOutputTokens: 60,
  };
  const whole = await generateText(request);
  const stream = streamText(request);
  const streamed = [];
  for await (const part of stream.stream) if (part.type === "tool-call") streamed.push(part.input);
  return {
    reasons: whole.steps.map(({ finishReason }) => finishReason),
    calls: whole.steps[0].toolCalls.map(({ toolName, input }) => ({ toolName, input })),
    text: whole.text,
    streamed,
    streamedText: await stream.text,
  };
}

const event = z.object({
  name: z.string().max(12),
  day: z.enum(["Saturday", "Sunday"]),
  guests: z.array(z.int().min(1).max(99)).max(2),
});

/** Objects that a schema describes, which the package checks. */
export async function structured(prompt, temperature) {
  const request = { model, prompt, temperature, seed: 1 };
  const output = Output.object({ schema: event });
  const whole = await generateText({ ...request, output });
  const { object } = await generateObject({ ...request, schema: event });
  const stream = streamText({ ...request, output });
  let partials = 0;
  for await (const _ of stream.partialOutputStream) partials += 1;
  return { objects: [whole.output, object, await stream.output], partials };
}

/** Has the model call a tool, whatever it is asked. */
export async function required(prompt) {
  const { toolCalls } = await generateText({
    model,
    prompt,
    tools: { add_event: tool({ inputSchema: event, strict: true }) },
    toolChoice: { type: "tool", toolName: "add_event" },
    seed: 1,
  });
  return toolCalls.map(({ toolName, input }) => ({ toolName, input }));
}

export async function embedded(values) {
  const { embeddings, usage } = await embedMany({ model: provider.embeddingModel("embedding-large"), values });
  return { embeddings, tokens: usage.tokens };
}

/** Stops after some pieces of the first of many answers. */
export async function aborted(prompt) {
  const controller = new AbortController();
  const result = streamText({ model, prompt, abortSignal: controller.signal, providerOptions: { hosted: { n: 128 } } });
  const kinds = [];
  let pieces = 0;
  for await (const { type } of result.stream) {
    if (kinds.at(-1) !== type) kinds.push(type);
    if (type === "text-delta" && ++pieces === 3) controller.abort();
  }
  return { last: kinds.at(-1), pieces };
}

/** What a bad request throws. */
export async function refused(settings) {
  try {
    await generateText({ model, prompt: "Hi", ...settings });
  } catch (error) {
    const { statusCode, isRetryable, message, data, responseHeaders } = error;
    const requestId = responseHeaders?.["x-request-id"];
    return { isApiCallError: APICallError.isInstance(error), statusCode, isRetryable, message, error: data?.error, requestId };
  }
}
