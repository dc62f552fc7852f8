// What examples take for granted: a model, a question, a page.

import OpenAI from "openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { streamText } from "ai";
import { vi } from "vitest";

import * as puna from "../../src/index.js";
import { createClient } from "../../src/client.js";
import * as promptApi from "../../src/prompt_api/index.js";
import { address, say } from "../support.js";

/** Models of the documents' addresses, from a fake. */
// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- its type is what it holds
export async function makeContext() {
  const url = address("load_ms=0&chunk_ms=0");
  const source = address("adapter");
  const adapters = ["legal", "brief"].map((name) => ({ source, name }));
  const model = await puna.load(url, { adapters });
  const encoder = await puna.load(url);
  return {
    ...puna,
    ...promptApi,
    createClient,
    OpenAI,
    createOpenAICompatible,
    streamText,
    ChatOpenAI,
    OpenAIEmbeddings,
    model,
    encoder,
    url,
    base: address(),
    baseURL: "https://api.example.org/v1",
    messages: say("Why is the sky blue?"),
    tools: [{ type: "function" as const, function: { name: "look_up", parameters: {} } }],
    rules: "Be brief.",
    session: await model.session({ prompt: "Once upon a time" }),
    stream: await model.chat.completions.create({ messages: say("Hello"), stream: true }),
    client: createClient({ local: { source: url } }),
    cache: { put: vi.fn<(name: string, response: Response) => Promise<void>>() },
    show: vi.fn<(shown: unknown) => void>(),
    onProgress: vi.fn<(event: puna.ProgressEvent) => void>(),
    confirmed: vi.fn<(question: string) => Promise<boolean>>(),
    shortLivedKey: vi.fn(() => Promise.resolve("key")),
    call: { callId: "1", name: "get_weather" },
  };
}

/** By name. */
export type Context = Awaited<ReturnType<typeof makeContext>>;
