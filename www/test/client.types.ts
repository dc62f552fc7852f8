// Checked by `tsc` alone, never run: a client's types against those of the `openai` package. What OpenAI's servers answer are
// answers of a client, and code that is written for either reads both.

import OpenAI from "openai";

import type {
  AnswerStream,
  Client,
  ClientChatCompletion,
  ClientChatCompletionChunk,
  ClientCompletion,
  ClientEmbeddingResponse,
  ClientModelList,
  ClientOptions,
} from "../src/client.js";
import type { load, Model } from "../src/index.js";

/** Compiles only where `From` can be given for `To`. */
type Fits<From extends To, To> = From;

type Chat = OpenAI.Chat.Completions.ChatCompletion;
type Choice = Chat["choices"][number];
type Chunk = OpenAI.Chat.Completions.ChatCompletionChunk;

/** What is asked for, which are no custom tools, no sound and no functions of old. */
type Asked = Omit<Chat, "choices"> & {
  choices: (Omit<Choice, "message" | "logprobs" | "finish_reason"> & {
    message: Pick<Choice["message"], "role" | "content" | "refusal">;
    finish_reason: Exclude<Choice["finish_reason"], "function_call">;
  })[];
};
type AskedChunk = Omit<Chunk, "choices"> & {
  choices: (Omit<Chunk["choices"][number], "delta" | "logprobs" | "finish_reason"> & {
    delta: Pick<Chunk["choices"][number]["delta"], "content" | "refusal">;
    finish_reason: Exclude<Chunk["choices"][number]["finish_reason"], "function_call">;
  })[];
};

export type Answers = [
  Fits<Asked, Omit<ClientChatCompletion, "puna">>,
  Fits<AskedChunk, Omit<ClientChatCompletionChunk, "puna">>,
  Fits<Omit<OpenAI.Completion, "choices">, Omit<ClientCompletion, "puna" | "choices">>,
  Fits<OpenAI.CreateEmbeddingResponse, Omit<ClientEmbeddingResponse, "puna">>,
  Fits<OpenAI.Model, ClientModelList["data"][number]>,
];

/** Their client takes our `fetch`. */
export const openai = (client: Client): OpenAI => new OpenAI({ apiKey: "none", fetch: client.fetch });

/** What `load` takes and gives is what a client takes. */
export const options = (
  source: Parameters<typeof load>[0],
  more: NonNullable<Parameters<typeof load>[1]>,
  model: Model,
): ClientOptions[] => [
  { local: { source, options: more } },
  { local: model },
  { local: Promise.resolve(model), policy: ({ reason }) => (reason === "busy" ? "local" : "remote") },
  // @ts-expect-error -- a server has a model by name
  { remote: { baseURL: "https://example.org/v1" }, policy: "remote" },
  // @ts-expect-error -- no such policy
  { local: model, policy: "cloud" },
];

/** The literal `stream` decides what `create` promises; each says where it was made. */
export async function overloads({ chat, completions }: Client): Promise<void> {
  const messages = [{ role: "user" as const, content: "Hello" }];
  const whole = await chat.completions.create({ messages }, { policy: "local" });
  whole satisfies ClientChatCompletion;
  whole.puna.ranOn satisfies "local" | "remote";
  const stream = await chat.completions.create({ messages, stream: true });
  stream satisfies AnswerStream<ClientChatCompletionChunk>;
  for await (const { puna } of stream) puna.ranOn satisfies "local" | "remote";
  (await completions.create({ prompt: "Once", stream: true })) satisfies AnswerStream<ClientCompletion>;
  // @ts-expect-error -- a stream has no choices
  stream.choices satisfies unknown;
  // A server need not say what an answer took.
  // @ts-expect-error -- it may be missing
  whole.usage.total_tokens satisfies number;
}
