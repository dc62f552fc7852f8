// The AI SDK with its provider of OpenAI-compatible APIs, for the browser tests: what the client's code takes of them.

export { createOpenAICompatible } from "@ai-sdk/openai-compatible";
export { APICallError, Output, embedMany, generateText, isStepCount, streamText, tool } from "ai";
// eslint-disable-next-line @typescript-eslint/no-deprecated -- what was written before `Output` calls it
export { generateObject } from "ai";
