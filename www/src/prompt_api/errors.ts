// What the draft says of failures: a `DOMException` by its name. What it was made from is its `cause`.

import { PunaError } from "../index.js";

/** The names that failures have here. */
export type ErrorName =
  | "AbortError"
  | "DataError"
  | "InvalidStateError"
  | "NetworkError"
  | "NotSupportedError"
  | "OperationError"
  | "SyntaxError"
  | "UnknownError";

/** What failed: a session that was to be created, or one that is there. */
export type Phase = "create" | "prompt";

/** An exception of that name. */
export function domException(name: ErrorName, message: string, cause?: unknown): DOMException {
  return caused(new DOMException(message, name), cause);
}

/** What does not fit into the context: `requested` tokens, where there are `quota`. */
export function quotaExceeded(requested: number, quota: number, cause?: unknown): DOMException {
  const message = `the prompt takes ${requested} tokens and the context window has ${quota}: shorten it, or load the model with a larger contextLength`;
  const platform = globalThis as { QuotaExceededError?: QuotaExceededErrorClass };
  if (platform.QuotaExceededError !== undefined) {
    return caused(new platform.QuotaExceededError(message, { requested, quota }), cause);
  }
  const error = new DOMException(message, "QuotaExceededError");
  Object.defineProperties(error, { requested: { value: requested }, quota: { value: quota } });
  return caused(error, cause);
}

/** The class of its own that newer browsers have for it. */
type QuotaExceededErrorClass = new (
  message: string,
  init: { requested: number; quota: number },
) => DOMException;

/** A failure in the draft's words. What is no failure of the engine's, such as what a tool threw, stays as it is. */
export function inWordsOfTheDraft(error: unknown, phase: Phase): unknown {
  if (!(error instanceof PunaError)) return error;
  const { code, message, details } = error;
  if (code === "context_length_exceeded") {
    const { promptTokens, contextLength } = details as { promptTokens?: number; contextLength?: number };
    if (promptTokens !== undefined && contextLength !== undefined) {
      return quotaExceeded(promptTokens, contextLength, error);
    }
  }
  return domException(NAMES[code][phase], message, error);
}

/** What is asked of a model that its owner has unloaded. */
export function unloaded(cause: unknown): DOMException {
  const message =
    "the model behind this session was unloaded: load it again, and make another class by languageModel()";
  return domException("InvalidStateError", message, cause);
}

type Names = Readonly<Record<Phase, ErrorName>>;

const NOT_SUPPORTED: Names = { create: "NotSupportedError", prompt: "NotSupportedError" };
const NETWORK: Names = { create: "NetworkError", prompt: "NetworkError" };
const OTHER: Names = { create: "OperationError", prompt: "UnknownError" };

const NAMES: Readonly<Record<PunaError["code"], Names>> = {
  aborted: { create: "AbortError", prompt: "AbortError" },
  bad_model_file: NOT_SUPPORTED,
  busy: OTHER,
  context_length_exceeded: NOT_SUPPORTED,
  device_lost: OTHER,
  integrity: NETWORK,
  internal: OTHER,
  invalid_request: NOT_SUPPORTED,
  network: NETWORK,
  out_of_memory: OTHER,
  shader_failed: OTHER,
  storage_full: OTHER,
  unsupported_device: NOT_SUPPORTED,
  unsupported_model: NOT_SUPPORTED,
};

function caused<Exception extends DOMException>(error: Exception, cause: unknown): Exception {
  if (cause !== undefined) {
    Object.defineProperty(error, "cause", { value: cause, configurable: true, writable: true });
  }
  return error;
}
