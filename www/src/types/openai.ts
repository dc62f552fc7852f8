// The part of OpenAI's wire format that Puna speaks, in its own words. `test/openai.types.ts` holds these
// types against the `openai` package: what is asked of Puna can be asked there, what Puna answers is valid there.
import type { AdapterScales } from "./adapters.js";

/** A piece of text inside a message. */
export interface ChatCompletionContentPartText {
  type: "text";
  text: string;
}

/** What a message says. */
export type ChatCompletionContent = string | ChatCompletionContentPartText[];

/** Instructions to the model. */
export interface ChatCompletionSystemMessageParam {
  role: "system";
  content: ChatCompletionContent;
  /** Who it is, for templates that tell. */
  name?: string;
}

/** Instructions to the model, by OpenAI's newer name; to a template they are the system's. */
export interface ChatCompletionDeveloperMessageParam {
  role: "developer";
  content: ChatCompletionContent;
  /** Who it is, for templates that tell. */
  name?: string;
}

/** What the person says. */
export interface ChatCompletionUserMessageParam {
  role: "user";
  content: ChatCompletionContent;
  /** Who it is, for templates that tell. */
  name?: string;
}

/** What the model said before. */
export interface ChatCompletionAssistantMessageParam {
  role: "assistant";
  /** May be missing where tools are called. */
  content?: ChatCompletionContent | null;
  /** Tools that it called. */
  tool_calls?: ChatCompletionMessageToolCall[];
  /** What it thought before, for templates that tell. */
  reasoning_content?: string;
  /** Who it is, for templates that tell. */
  name?: string;
}

/** A call of a tool. */
export interface ChatCompletionMessageToolCall {
  id: string;
  type: "function";
  function: {
    name: string;
    /** JSON. */
    arguments: string;
  };
}

/** A tool that the model may call. */
export interface ChatCompletionTool {
  type: "function";
  function: {
    /** Up to 64 letters, digits, `_` and `-`. */
    name: string;
    description?: string;
    /** JSON schema of an object. */
    parameters?: Record<string, unknown>;
    /**
     * Whether the arguments of every call follow the schema. Those of a call that must be made do in any case, others are the
     * model's own where this is not said.
     */
    strict?: boolean | null;
  };
}

/** What a tool said, for templates that know tools. */
export interface ChatCompletionToolMessageParam {
  role: "tool";
  content: ChatCompletionContent;
  /** The call that it answers. */
  tool_call_id: string;
}

/** A message of the conversation so far. */
export type ChatCompletionMessageParam =
  | ChatCompletionSystemMessageParam
  | ChatCompletionDeveloperMessageParam
  | ChatCompletionUserMessageParam
  | ChatCompletionAssistantMessageParam
  | ChatCompletionToolMessageParam;

/**
 * Fields that belong to OpenAI's service: they are accepted, so that a request written for it works as it is, and
 * change nothing.
 */
export interface IgnoredParams {
  user?: string;
  metadata?: Record<string, string> | null;
  store?: boolean | null;
  service_tier?: "auto" | "default" | "flex" | "scale" | "priority" | "fast" | null;
  safety_identifier?: string | null;
  prompt_cache_key?: string | null;
  prompt_cache_retention?: "in_memory" | "24h" | null;
}

/** Fields for what is not supported: accepted while they ask for nothing. */
export interface DefaultParams {
  modalities?: ["text"] | null;
}

/** What the text of an answer has to be. */
export type ChatCompletionResponseFormat =
  | { type: "text" }
  /** A JSON object. */
  | { type: "json_object" }
  /** JSON as a schema has it. */
  | {
      type: "json_schema";
      json_schema: {
        /** Up to 64 letters, digits, `_` and `-`. */
        name: string;
        description?: string;
        /** A JSON schema. What of it can't be followed is refused with its place. */
        schema: Record<string, unknown>;
        /** Accepted: the schema is followed in any case. */
        strict?: boolean | null;
      };
    };

/** A tool, by its name. */
export interface ChatCompletionNamedTool {
  type: "function";
  function: { name: string };
}

/** Whether tools are called: if the model wants to, never, at least one, that one, or one of those. */
export type ChatCompletionToolChoice =
  | "auto"
  | "none"
  | "required"
  | ChatCompletionNamedTool
  | {
      type: "allowed_tools";
      /** Tools as `ChatCompletionNamedTool` has them. */
      allowed_tools: { mode: "auto" | "required"; tools: Record<string, unknown>[] };
    };

/** How tokens are chosen, and where an answer ends. */
export interface SamplingParams {
  /** Ignored but for being echoed: a model object is one model. */
  model?: string;
  /** How many answers are wanted, 1 to 128; made one after the other, of a prompt that is read once. */
  n?: number | null;
  /** 0 to 2. 0 takes the likeliest token each time; 1 samples the model's own distribution. */
  temperature?: number | null;
  /** Samples from the smallest set of tokens that holds this much probability, 0 to 1. */
  top_p?: number | null;
  /** The same seed and request give the same answer. */
  seed?: number | null;
  /** Text at which the answer ends, or up to four; it is not part of the answer. */
  stop?: string | string[] | null;
  /** Lowers the chance of any token that occurred, -2 to 2. */
  presence_penalty?: number | null;
  /** Lowers the chance of a token by how often it occurred, -2 to 2. */
  frequency_penalty?: number | null;
  /** Added to the scores of tokens, by token id, -100 to 100. */
  logit_bias?: Record<string, number> | null;
}

/**
 * What may be asked, streamed or not. A field that is not here is refused by name, unless it is one of OpenAI's
 * and `null`.
 */
export interface ChatCompletionCreateParamsBase extends SamplingParams, IgnoredParams, DefaultParams {
  /** The conversation so far; the last message is the one to answer. */
  messages: ChatCompletionMessageParam[];
  /** Up to 128 tools that the model may call, if its chat template knows any. */
  tools?: ChatCompletionTool[];
  /** Whether it calls them; `auto` where absent. */
  tool_choice?: ChatCompletionToolChoice;
  /** What the text of an answer has to be; any text where absent. */
  response_format?: ChatCompletionResponseFormat;
  /** How much it is to think before it answers, where its template has a switch or words for that. */
  reasoning_effort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max" | null;
  /** Whether it may call several in an answer, as where absent. */
  parallel_tool_calls?: boolean;
  /** Most tokens of the answer, 1 or more. The rest of the context where absent. */
  max_completion_tokens?: number | null;
  /** The older name of `max_completion_tokens`; one of them may be given. */
  max_tokens?: number | null;
  /** Whether to tell what the model thought of each token: of its own distribution, before what is asked for changes it. */
  logprobs?: boolean | null;
  /** Of so many of the likeliest tokens in each place, too, up to 20; only with `logprobs`. */
  top_logprobs?: number | null;
}

/** What an answer's text is held to. */
export interface Grammar {
  /** llama.cpp's GBNF, llguidance's Lark, or an expression in the syntax of Rust's `regex`. */
  syntax: "gbnf" | "lark" | "regex";
  definition: string;
}

/** Fields that OpenAI does not have, and other hosted APIs do. */
export interface SamplingExtensions {
  /** Samples from this many of the likeliest tokens; 0 is off. */
  top_k?: number | null;
  /** Drops tokens less likely than this share of the likeliest one, 0 to 1. */
  min_p?: number | null;
  /** Divides the score of tokens that occurred, 0.01 to 10; 1 is off. */
  repetition_penalty?: number | null;
}

/** What else there is, under one key. */
export interface Extensions extends SamplingExtensions {
  /** What an answer's text is held to, where `response_format` is not given. */
  grammar?: Grammar | null;
  /** The same by an expression of the whole text. */
  regex?: string | null;
  /** What adapters are multiplied by for this request; where absent, what `Model.setAdapters` said. */
  adapters?: AdapterScales | null;
  /**
   * What becomes of what the model has read of this conversation, once it has answered. `keep`: given up after all others where
   * room is needed. `drop`: given up at once, and what it shares with others stays theirs. `auto`, as without it: kept as long
   * as there is room, what was used last the longest.
   */
  cache?: "auto" | "keep" | "drop" | null;
}

/** Fields that OpenAI does not have. */
export interface ExtendedParams extends SamplingExtensions {
  /** What only Puna has. */
  puna?: Extensions | null;
}

/** A request for the whole answer at once. */
export interface ChatCompletionCreateParamsNonStreaming
  extends ChatCompletionCreateParamsBase, ExtendedParams {
  stream?: false | null;
  stream_options?: null;
}

/** A request for the answer as it is made. */
export interface ChatCompletionCreateParamsStreaming extends ChatCompletionCreateParamsBase, ExtendedParams {
  stream: true;
  stream_options?: {
    /** A last chunk without choices tells the usage. */
    include_usage?: boolean;
    /** Changes nothing: chunks don't leave the page, so that nobody could tell them by their sizes. */
    include_obfuscation?: boolean;
  } | null;
}

/** A request. */
export type ChatCompletionCreateParams =
  ChatCompletionCreateParamsNonStreaming | ChatCompletionCreateParamsStreaming;

/** Why an answer ended: by itself or at a stop text, or at the most tokens allowed. */
export type FinishReason = "stop" | "length";

/** The same of a chat, or for tools to be called. */
export type ChatFinishReason = FinishReason | "tool_calls";

/** What an answer took. */
export interface CompletionUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details: {
    /** Tokens of the prompt that the model still knew from the conversation before. */
    cached_tokens: number;
  };
  completion_tokens_details: {
    /** Tokens of the answer that were thought before it. */
    reasoning_tokens: number;
  };
}

/** A token of an answer, and the natural logarithm of its probability; -9999 is next to impossible. */
export interface TokenLogprob {
  token: string;
  logprob: number;
  /** What it stands for in UTF-8, not always whole characters. */
  bytes: number[];
}

/** What the model thought of tokens. */
export interface ChatLogprobs {
  content: (TokenLogprob & { top_logprobs: TokenLogprob[] })[];
  refusal: null;
}

/** What the model says. */
export interface ChatCompletionMessage {
  role: "assistant";
  /** `null` where it calls tools and says nothing. */
  content: string | null;
  refusal: null;
  /** What it thought before, of models that mark it. */
  reasoning_content?: string;
  /** Tools to be called, of those that were offered. What looks like a call and is none is in the content. */
  tool_calls?: ChatCompletionMessageToolCall[];
}

/** A whole answer. */
export interface ChatCompletion {
  id: string;
  object: "chat.completion";
  /** Seconds since 1970. */
  created: number;
  model: string;
  choices: {
    index: number;
    message: ChatCompletionMessage;
    finish_reason: ChatFinishReason;
    /** `null` unless it was asked for. */
    logprobs: ChatLogprobs | null;
    /** What is odd about the answer, in words: a call of a tool that can't be read, and is in the content. */
    warnings?: string[];
  }[];
  usage: CompletionUsage;
}

/** A call of a tool, with an id, a type and a name; or, without those, more of the arguments of that call in the answer. */
export interface ChatCompletionChunkToolCall {
  index: number;
  id?: string;
  type?: "function";
  function: { name?: string; arguments: string };
}

/** A piece of an answer. */
export interface ChatCompletionChunk {
  id: string;
  object: "chat.completion.chunk";
  /** Seconds since 1970. */
  created: number;
  model: string;
  /** Empty in the chunk that tells the usage. */
  choices: {
    index: number;
    delta: {
      role?: "assistant";
      content?: string;
      refusal?: null;
      reasoning_content?: string;
      /** Where an answer is held to its calls their arguments come in pieces, else each call whole. */
      tool_calls?: ChatCompletionChunkToolCall[];
    };
    finish_reason: ChatFinishReason | null;
    /** Of the tokens of this piece, if that was asked for. */
    logprobs: ChatLogprobs | null;
    /** With the `finish_reason`: what is odd about the answer, in words. */
    warnings?: string[];
  }[];
  /** Only where `include_usage` asks for it, and `null` in all chunks but the last. */
  usage?: CompletionUsage | null;
}

/** What may be asked of a text to go on with, streamed or not. */
export interface CompletionCreateParamsBase extends SamplingParams, ExtendedParams {
  /** A text, token ids, or up to 2048 of one of both. */
  prompt: string | string[] | number[] | number[][];
  /** Most tokens of the answer, 1 or more, or 0 with `echo`; 16 where absent. */
  max_tokens?: number | null;
  /** Whether the answer begins with the prompt. */
  echo?: boolean | null;
  /** Whether to tell what the model thought of each token, and of so many of the likeliest ones, up to 5. */
  logprobs?: number | null;
  /** As many as `n`: answers are not ranked. */
  best_of?: number | null;
  /** Belongs to OpenAI's service; changes nothing. */
  user?: string;
}

/** A request for the whole answer at once. */
export interface CompletionCreateParamsNonStreaming extends CompletionCreateParamsBase {
  stream?: false | null;
  stream_options?: null;
}

/** A request for the answer as it is made. */
export interface CompletionCreateParamsStreaming extends CompletionCreateParamsBase {
  stream: true;
  stream_options?: { include_usage?: boolean; include_obfuscation?: boolean } | null;
}

/** A request. */
export type CompletionCreateParams = CompletionCreateParamsNonStreaming | CompletionCreateParamsStreaming;

/** What the model thought of tokens, by their place. Of the first of an echoed prompt that is `null`, which OpenAI's types leave out, too. */
export interface CompletionLogprobs {
  tokens: string[];
  token_logprobs: number[];
  top_logprobs: Record<string, number>[];
  /** Characters of the tokens in front of each. */
  text_offset: number[];
}

/** How a model goes on with texts; also a part of it. */
export interface Completion {
  id: string;
  object: "text_completion";
  /** Seconds since 1970. */
  created: number;
  model: string;
  /** `n` for each prompt, in their order; of a part, one, or none in the one that tells the usage. */
  choices: {
    index: number;
    text: string;
    /** In all parts of an answer but its last, which OpenAI's types do not tell either, `null`. */
    finish_reason: FinishReason;
    /** `null` unless it was asked for. */
    logprobs: CompletionLogprobs | null;
  }[];
  usage?: CompletionUsage;
}

/** What vectors are wanted of. */
export interface EmbeddingCreateParams {
  /** A text, token ids, or up to 2048 of one of both. */
  input: string | string[] | number[] | number[][];
  /** Ignored but for being echoed: a model object is one model. */
  model?: string;
  /** How vectors are written: as numbers, as where absent, or as base64 of little-endian 32-bit floats. */
  encoding_format?: "float" | "base64";
  /** How many of the first elements are wanted, for models that were trained for that; all where absent. */
  dimensions?: number;
  /** Belongs to OpenAI's service; changes nothing. */
  user?: string;
}

/** A vector of length 1. */
export interface Embedding {
  object: "embedding";
  /** Of the text among those of the request. */
  index: number;
  /** Numbers; base64 where that was asked for, which OpenAI's types do not tell either. */
  embedding: number[];
}

/** Vectors, in the order of their texts. */
export interface CreateEmbeddingResponse {
  object: "list";
  data: Embedding[];
  model: string;
  usage: { prompt_tokens: number; total_tokens: number };
}
