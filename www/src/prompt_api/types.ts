// The Prompt API as its draft declares it in Web IDL: https://webmachinelearning.github.io/prompt-api

import type {
  LanguageModelToolCall,
  LanguageModelToolError,
  LanguageModelToolSuccess,
} from "./tool_values.js";

/** Whether there is a model for what is wanted, and whether it has to be downloaded first. */
export type Availability = "unavailable" | "downloadable" | "downloading" | "available";

/** How much answers vary. */
export type LanguageModelSamplingMode =
  | "most-predictable"
  | "predictable"
  | "slightly-predictable"
  | "balanced"
  | "slightly-creative"
  | "creative"
  | "most-creative";

/** Who says something. */
export type LanguageModelMessageRole = "system" | "user" | "assistant";

/** What a part of a message is. Models of Puna read texts, and calls of tools and what these say. */
export type LanguageModelMessageType = "text" | "image" | "audio" | "tool-call" | "tool-response";

/** How much a model is to think before it answers. */
export type LanguageModelThinkingEffort = "none" | "low" | "medium" | "high";

/** Thinking, for models that can: their chat template has a switch or words for it. */
export interface LanguageModelThinking {
  /** `none` where absent. */
  effort?: LanguageModelThinkingEffort;
  /** Whether what was thought is given, in parts of type `thought`, and texts are parts, too. */
  includeThoughts?: boolean;
}

/** What a part of a message holds. */
export type LanguageModelMessageValue =
  | string
  | ImageBitmapSource
  | AudioBuffer
  | BufferSource
  | LanguageModelToolCall
  | LanguageModelToolSuccess
  | LanguageModelToolError;

/** A part of a message. `thought` is no part of what is given, but of answers that include thoughts. */
export interface LanguageModelMessageContent {
  type: LanguageModelMessageType | "thought";
  value: LanguageModelMessageValue;
}

/** A message. */
export interface LanguageModelMessage {
  role: LanguageModelMessageRole;
  /** A string is short for one part of type `text`. */
  content: string | LanguageModelMessageContent[];
  /** Of the assistant's message at the end of a prompt: the answer goes on from here. */
  prefix?: boolean;
}

/** What a session is prompted with: messages, or what the user says. */
export type LanguageModelPrompt = LanguageModelMessage[] | string;

/** What goes in, or comes out. */
export interface LanguageModelExpected {
  type: LanguageModelMessageType;
  /** BCP 47 language tags. */
  languages?: string[];
}

/** Carries out a call of a tool, whose arguments come as one object; what it resolves with is told the model. */
export type LanguageModelToolFunction = (...args: never[]) => Promise<string> | string;

/** A tool that the model may call, and the page carries out by itself. */
export interface LanguageModelToolDeclaration {
  /** Up to 64 letters, digits, `_` and `-`. */
  name: string;
  description: string;
  /** JSON schema of an object: its arguments. */
  inputSchema: object;
  execute?: undefined;
}

/** A tool that the model may call, and the session carries out. */
export interface LanguageModelTool extends Omit<LanguageModelToolDeclaration, "execute"> {
  execute: LanguageModelToolFunction;
}

/** How calls of tools are carried out. */
export interface LanguageModelToolUseConfig {
  /** Whether the session calls `execute`; as it does where absent, if tools have one. */
  enabled?: boolean;
  /** Most calls for one prompt, 1 or more; any number where absent. */
  maxToolCalls?: number;
}

/** What `availability` asks for. */
export interface LanguageModelCreateCoreOptions {
  /** From how many of the likeliest tokens each is chosen, 1 or more. Not together with `samplingMode`. */
  topK?: number;
  /** 0 takes the likeliest token each time; more than there is of it is as good as the most. Not together with `samplingMode`. */
  temperature?: number;
  /** How much answers vary; `balanced` where absent. */
  samplingMode?: LanguageModelSamplingMode;
  expectedInputs?: LanguageModelExpected[];
  expectedOutputs?: LanguageModelExpected[];
  tools?: LanguageModelTool[];
  toolUseConfig?: LanguageModelToolUseConfig;
  thinking?: LanguageModelThinking;
}

/** What `create` asks for. */
export interface LanguageModelCreateOptions extends LanguageModelCreateCoreOptions {
  /** Stops the creation; later it destroys the session. */
  signal?: AbortSignal;
  /** Is given what tells how far the download has come. */
  monitor?: CreateMonitorCallback;
  /** What the conversation begins with. It is never dropped. */
  initialPrompts?: LanguageModelMessage[];
}

/** The same for tools that the page carries out by itself: without `execute`, and with outputs that expect `tool-call`. */
export interface LanguageModelOpenLoopCreateOptions extends Omit<LanguageModelCreateOptions, "tools"> {
  tools: LanguageModelToolDeclaration[];
}

/** The same for sessions whose answers include what was thought. */
export interface LanguageModelThoughtfulCreateOptions extends LanguageModelCreateOptions {
  thinking: LanguageModelThinking & { includeThoughts: true };
}

/** What is asked of an answer. */
export interface LanguageModelPromptOptions {
  /** What the answer has to be: JSON of a JSON schema, or a text that a `RegExp` matches as a whole. */
  responseConstraint?: object;
  /** Whether the model is left to find out, and not told, what it is held to. */
  omitResponseConstraintInput?: boolean;
  /** In place of the session's own, as far as it says. */
  thinking?: LanguageModelThinking;
  /** Stops the answer. */
  signal?: AbortSignal;
}

/** The same for an answer that includes what was thought. */
export interface LanguageModelThoughtfulPromptOptions extends LanguageModelPromptOptions {
  thinking: LanguageModelThinking & { includeThoughts: true };
}

/** Options of `append`. */
export interface LanguageModelAppendOptions {
  signal?: AbortSignal;
}

/** Options of `clone`. */
export interface LanguageModelCloneOptions {
  signal?: AbortSignal;
}

/** The answer; where it includes thoughts, or calls of tools that the page carries out, its parts: thoughts, what it says, calls. */
export type LanguageModelPromptResult = string | LanguageModelMessageContent[];

/** Bounds of what `create` takes as `topK` and `temperature`, and what it takes where they are absent. */
export interface LanguageModelParams {
  readonly defaultTopK: number;
  readonly maxTopK: number;
  readonly defaultTemperature: number;
  readonly maxTemperature: number;
}

/** Fires `downloadprogress`, with `loaded` from 0 to 1. */
export interface CreateMonitor extends EventTarget {
  ondownloadprogress: ((event: ProgressEvent) => unknown) | null;
  addEventListener(
    type: "downloadprogress",
    listener: ((event: ProgressEvent) => unknown) | EventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** Is given a monitor before anything is downloaded. */
export type CreateMonitorCallback = (monitor: CreateMonitor) => void;

/** A session: a conversation with a model. */
export interface LanguageModel<Result = string> extends EventTarget {
  /** Goes on with the conversation: the whole answer. */
  prompt(
    input: LanguageModelPrompt,
    options: LanguageModelThoughtfulPromptOptions,
  ): Promise<LanguageModelPromptResult>;
  prompt(input: LanguageModelPrompt, options?: LanguageModelPromptOptions): Promise<Result>;
  /** Goes on with the conversation: the answer as it is made. Cancelling the stream stops the work. */
  promptStreaming(
    input: LanguageModelPrompt,
    options: LanguageModelThoughtfulPromptOptions,
  ): ReadableStream<LanguageModelMessageContent>;
  promptStreaming(
    input: LanguageModelPrompt,
    options?: LanguageModelPromptOptions,
  ): ReadableStream<Result extends string ? string : string | LanguageModelMessageContent>;
  /** Adds messages that are not to be answered yet; resolves when the model has read them. */
  append(input: LanguageModelPrompt, options?: LanguageModelAppendOptions): Promise<undefined>;
  /** Tokens that a prompt would take. */
  measureContextUsage(input: LanguageModelPrompt, options?: LanguageModelPromptOptions): Promise<number>;
  /** Tokens that the conversation takes. */
  readonly contextUsage: number;
  /** Tokens that there is room for. */
  readonly contextWindow: number;
  /** Hears `contextoverflow`: the oldest messages were dropped to make room. */
  oncontextoverflow: ((event: Event) => unknown) | null;
  /** The older name of `measureContextUsage`. */
  measureInputUsage(input: LanguageModelPrompt, options?: LanguageModelPromptOptions): Promise<number>;
  /** The older name of `contextUsage`. */
  readonly inputUsage: number;
  /** The older name of `contextWindow`. */
  readonly inputQuota: number;
  /** Hears `quotaoverflow`, the older name of `contextoverflow`. */
  onquotaoverflow: ((event: Event) => unknown) | null;
  readonly topK: number;
  readonly temperature: number;
  /** `null` where `topK` or `temperature` was given in its place. */
  readonly samplingMode: LanguageModelSamplingMode | null;
  /** Another session that goes on from here. */
  clone(options?: LanguageModelCloneOptions): Promise<LanguageModel<Result>>;
  /** Ends the session: what runs is rejected, and so is whatever is asked later. */
  destroy(): undefined;
}

/** The class of sessions with one model, which takes the place of the browser's own `LanguageModel`. */
export interface LanguageModelConstructor {
  readonly prototype: LanguageModel;
  /** A new session; the model is loaded if it is not yet. */
  create(
    options: LanguageModelThoughtfulCreateOptions | LanguageModelOpenLoopCreateOptions,
  ): Promise<LanguageModel<LanguageModelPromptResult>>;
  create(options?: LanguageModelCreateOptions): Promise<LanguageModel>;
  /** Whether `create` with these options could succeed, and whether it would have to download the model. */
  availability(options?: LanguageModelCreateCoreOptions): Promise<Availability>;
  /** Bounds of `topK` and `temperature`; `null` where the model is not available. */
  params(): Promise<LanguageModelParams | null>;
}
