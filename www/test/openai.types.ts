// Checked by `tsc` alone, never run: our types against those of the `openai` package. What we are asked can be
// asked of OpenAI (but for the fields that only local models have), and what we answer is a valid answer there,
// so that code written for one takes the values of the other.

import OpenAI from "openai";
import type { Stream } from "openai/core/streaming";

import type { ChatCompletions, ChatStream, Completions, Model } from "../src/index.js";
import type * as ours from "../src/types/openai.js";

type Theirs = OpenAI.Chat.Completions.ChatCompletionCreateParams;

/** Compiles only where `From` can be given for `To`. */
type Fits<From extends To, To> = From;
/** Compiles only for `true`. */
type Holds<T extends true> = T;
/** Compiles only for `false`. */
type Fails<T extends false> = T;
type IsFitting<From, To> = [From] extends [To] ? true : false;

/** Our requests, as code that names a model would send them to OpenAI. */
type ForThem<T> = Omit<T, keyof ours.ExtendedParams> & { model: string };

/** The part of their messages that we take: text from every role but the outdated `function`. */
type TheirText<Role extends string> = {
  role: Role;
  content: string | OpenAI.Chat.Completions.ChatCompletionContentPartText[];
} & OpenAI.Chat.Completions.ChatCompletionMessageParam;

export type Requests = [
  Fits<ours.EmbeddingCreateParams & { model: string }, OpenAI.EmbeddingCreateParams>,
  Fits<OpenAI.EmbeddingCreateParams, ours.EmbeddingCreateParams>,
  Fits<
    Omit<ours.CompletionCreateParamsNonStreaming, keyof ours.ExtendedParams> & { model: string },
    OpenAI.CompletionCreateParamsNonStreaming
  >,
  Fits<
    Omit<ours.CompletionCreateParamsStreaming, keyof ours.ExtendedParams> & { model: string },
    OpenAI.CompletionCreateParamsStreaming
  >,
  Fits<ours.ChatCompletionMessageParam, OpenAI.Chat.Completions.ChatCompletionMessageParam>,
  Fits<TheirText<"system">, ours.ChatCompletionMessageParam>,
  Fits<TheirText<"developer">, ours.ChatCompletionMessageParam>,
  Fits<TheirText<"tool">, ours.ChatCompletionMessageParam>,
  Fits<TheirText<"user">, ours.ChatCompletionMessageParam>,
  // But for calls of tools that are no functions.
  Fits<Omit<TheirText<"assistant">, "tool_calls">, ours.ChatCompletionMessageParam>,
  Fits<ours.ChatCompletionTool, OpenAI.Chat.Completions.ChatCompletionTool>,
  Fits<ForThem<ours.ChatCompletionCreateParamsNonStreaming>, Theirs>,
  Fits<ForThem<ours.ChatCompletionCreateParamsStreaming>, Theirs>,
  // Every field of ours that is no extension is one of theirs, with their meaning of absence.
  Fits<keyof ours.ChatCompletionCreateParamsBase, keyof Theirs>,
  Fits<
    Pick<
      Theirs,
      "temperature" | "top_p" | "max_tokens" | "max_completion_tokens" | "seed" | "stop" | "logit_bias"
    >,
    Omit<ours.ChatCompletionCreateParamsBase, "messages">
  >,
  // What is ignored may have any value.
  Fits<Pick<Theirs, keyof ours.IgnoredParams>, ours.IgnoredParams>,
  // Extensions are really extensions: one that OpenAI takes up should move to the base.
  Holds<IsFitting<keyof ours.ExtendedParams & keyof Theirs, never>>,
];

export type Answers = [
  Fits<ours.Completion, OpenAI.Completions.Completion>,
  Fits<ours.ChatLogprobs, OpenAI.Chat.Completions.ChatCompletion.Choice.Logprobs>,
  Fits<ours.CreateEmbeddingResponse, OpenAI.CreateEmbeddingResponse>,
  Fits<ours.ChatCompletion, OpenAI.Chat.Completions.ChatCompletion>,
  Fits<ours.ChatCompletionChunk, OpenAI.Chat.Completions.ChatCompletionChunk>,
  Fits<ours.CompletionUsage, OpenAI.Completions.CompletionUsage>,
  // Ours always tells the cached tokens, theirs may.
  Fits<
    OpenAI.Completions.CompletionUsage,
    Omit<ours.CompletionUsage, "prompt_tokens_details" | "completion_tokens_details">
  >,
  Fits<ours.FinishReason, OpenAI.Chat.Completions.ChatCompletion.Choice["finish_reason"]>,
  // Theirs may hold tool calls; a program that takes ours alone is told so.
  Fails<IsFitting<OpenAI.Chat.Completions.ChatCompletion, ours.ChatCompletion>>,
  // An answer goes back into the conversation as it is.
  Fits<
    ours.ChatCompletion["choices"][number]["message"],
    ours.ChatCompletionMessageParam & OpenAI.Chat.Completions.ChatCompletionMessageParam
  >,
];

/** A stream of theirs and one of ours are read by the same code. */
type Readable = AsyncIterable<OpenAI.Chat.Completions.ChatCompletionChunk> & { controller: AbortController };
export type Streams = [
  Fits<ChatStream, Readable>,
  Fits<Stream<OpenAI.Chat.Completions.ChatCompletionChunk>, Readable>,
];

/** Their client takes our `fetch`. */
export const client = (model: Model): OpenAI => new OpenAI({ apiKey: "none", fetch: model.fetch });

/** The literal `stream` decides what `create` promises. */
export async function overloads(create: ChatCompletions["create"]): Promise<void> {
  const messages: ours.ChatCompletionMessageParam[] = [{ role: "user", content: "Hello" }];
  const whole = await create({ messages });
  const alsoWhole = await create({ messages, stream: false });
  const stream = await create({ messages, stream: true, top_k: 40 });
  await create({ messages, tool_choice: "required", puna: { regex: "yes|no", min_p: 0.1 } });
  await create({
    messages,
    response_format: { type: "json_schema", json_schema: { name: "a", schema: {} } },
  });
  // @ts-expect-error -- no such syntax
  await create({ messages, puna: { grammar: { syntax: "ebnf", definition: "" } } });
  const either = await create({ messages, stream: Math.random() > 0.5 } as ours.ChatCompletionCreateParams);
  whole satisfies ours.ChatCompletion;
  alsoWhole satisfies ours.ChatCompletion;
  stream satisfies ChatStream;
  either satisfies ours.ChatCompletion | ChatStream;
  // @ts-expect-error -- a stream has no choices
  stream.choices satisfies unknown;
  // @ts-expect-error -- an unsupported field is not offered
  await create({ messages, audio: {} });
  // @ts-expect-error -- a role that no template knows
  await create({ messages: [{ role: "wizard", content: "" }] });
  // @ts-expect-error -- the usage is told only in a stream's last chunk
  await create({ messages, stream_options: { include_usage: true } });
}

/** The same of texts that are gone on with. */
export async function completions(create: Completions["create"]): Promise<void> {
  (await create({ prompt: "Once" })) satisfies ours.Completion;
  (await create({ prompt: [[1, 2]], stream: true })) satisfies ChatStream<ours.Completion>;
  // @ts-expect-error -- a chat is another request
  await create({ messages: [] });
}
