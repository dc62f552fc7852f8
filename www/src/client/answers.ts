// Answers of a client: OpenAI's, from either side, with where they were made. What a server may leave out is optional.

import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatFinishReason,
  ChatLogprobs,
  Completion,
  CompletionLogprobs,
  CreateEmbeddingResponse,
} from "../index.js";
import type { Ran } from "./policy.js";

/** Where an answer was made. */
export interface Answered {
  puna: Ran;
}

/** What an answer took, as far as it is told. */
export interface ClientUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: { cached_tokens?: number | null } | null;
  completion_tokens_details?: { reasoning_tokens?: number | null } | null;
}

/** Servers may refuse to go on, too. */
type FinishReason = ChatFinishReason | "content_filter";

/** What the model says. */
type Message = Omit<ChatCompletion["choices"][number]["message"], "refusal"> & { refusal?: string | null };

/** A whole answer. */
export interface ClientChatCompletion extends Omit<ChatCompletion, "choices" | "usage">, Answered {
  choices: { index: number; message: Message; finish_reason: FinishReason; logprobs?: ChatLogprobs | null }[];
  usage?: ClientUsage | null;
}

/** A part of a call: servers send its `arguments` in pieces, of which the first alone has an `id` and a `name`. */
interface ToolCallDelta {
  index: number;
  id?: string;
  type?: "function";
  function?: { name?: string; arguments?: string };
}

/** A piece of what the model says. */
type Delta = Omit<ChatCompletionChunk["choices"][number]["delta"], "content" | "refusal" | "tool_calls"> & {
  content?: string | null;
  refusal?: string | null;
  tool_calls?: ToolCallDelta[];
};

/** A piece of an answer. */
export interface ClientChatCompletionChunk extends Omit<ChatCompletionChunk, "choices" | "usage">, Answered {
  choices: {
    index: number;
    delta: Delta;
    finish_reason: FinishReason | null;
    logprobs?: ChatLogprobs | null;
  }[];
  usage?: ClientUsage | null;
}

/** How a model goes on with texts; also a part of it. */
export interface ClientCompletion extends Omit<Completion, "choices" | "usage">, Answered {
  choices: {
    index: number;
    text: string;
    /** `null` in all parts of a streamed answer but its last. */
    finish_reason: "stop" | "length" | "content_filter" | null;
    logprobs?: CompletionLogprobs | null;
  }[];
  usage?: ClientUsage | null;
}

/** Vectors of texts. Those of two models have nothing to do with each other: one that searches by them stays with one side. */
export interface ClientEmbeddingResponse extends CreateEmbeddingResponse, Answered {}

/** The models of the side that answered. */
export interface ClientModelList extends Answered {
  object: "list";
  data: { id: string; object: "model"; created: number; owned_by: string }[];
}
