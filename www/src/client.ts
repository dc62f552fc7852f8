// Everything that may be imported from "puna/client".

export type {
  Answered,
  ClientChatCompletion,
  ClientChatCompletionChunk,
  ClientCompletion,
  ClientEmbeddingResponse,
  ClientModelList,
  ClientUsage,
} from "./client/answers.js";
export type { ClientRequestOptions } from "./client/ask.js";
export { type Client, createClient } from "./client/client.js";
export type {
  ClientChatCompletions,
  ClientCompletions,
  ClientEmbeddings,
  ClientModels,
} from "./client/completions.js";
export type { LocalState } from "./client/local.js";
export type { ClientOptions, LocalOptions, LocalSource, RemoteOptions } from "./client/options.js";
export type { Policy, PolicyQuestion, PolicyRequest, Ran, Reason, Where } from "./client/policy.js";
export { RemoteError } from "./client/remote_error.js";
export type { AnswerStream } from "./client/stream.js";
