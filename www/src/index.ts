// The package: everything that may be imported from "puna".

export type { ChatCompletions } from "./chat.js";
export type { Completions } from "./completions.js";
export type { Embeddings } from "./embeddings.js";
export { load, type Model } from "./engine.js";
export {
  AbortError,
  type ErrorDetails,
  InvalidRequestError,
  PunaError,
  UnsupportedDeviceError,
} from "./errors.js";
export { ERROR_CODES, type ErrorCode } from "./generated/codes.js";
export { inspect } from "./inspect.js";
export type { Session } from "./session.js";
export { listModels, removeModel } from "./stored.js";
export type { ChatStream } from "./stream.js";
export type { RequestOptions } from "./texts.js";
export type { ScoreOptions } from "./tokens.js";
export type * from "./types/adapters.js";
export type * from "./types/model.js";
export type * from "./types/openai.js";
export type * from "./types/tokens.js";
