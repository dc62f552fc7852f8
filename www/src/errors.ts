// The errors a caller sees, and the one way in which they cross the worker boundary: as plain data on the
// wire, as the same class with the same code on the other side.

import { ERROR_CODES, type ErrorCode } from "./generated/codes.js";
import { camelKeys } from "./names.js";

/** Machine-readable facts of an error, such as `status`, `url` or `param`. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** What may be given with an error. */
export interface ErrorInit {
  /** Machine-readable facts. */
  details?: ErrorDetails;
  /** What this error was made from. */
  cause?: unknown;
}

/** An error as it crosses the worker boundary. */
export interface WireError {
  code: ErrorCode;
  message: string;
  details: ErrorDetails;
}

/** Every failure of this library. Branch on `code`: the list is closed and its names are stable. */
export class PunaError extends Error {
  /** What went wrong. */
  readonly code: ErrorCode;
  /** Machine-readable facts, such as `status` or `url`. */
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, init: ErrorInit = {}) {
    super(message, "cause" in init ? { cause: init.cause } : undefined);
    this.name = "PunaError";
    this.code = code;
    this.details = init.details ?? {};
  }
}

/** The caller stopped the work. `cause` is the reason given to the `AbortController`. */
export class AbortError extends PunaError {
  constructor(message = "the work was stopped by its AbortSignal", init: ErrorInit = {}) {
    super("aborted", message, init);
    // The platform's own name, so that code written for `fetch` recognises it.
    this.name = "AbortError";
  }
}

/** There is no usable WebGPU here. The message says what the person at the screen can do. */
export class UnsupportedDeviceError extends PunaError {
  constructor(message: string, init: ErrorInit = {}) {
    super("unsupported_device", message, init);
    this.name = "UnsupportedDeviceError";
  }
}

/** The request is at fault: a field is missing, malformed or unsupported, or the prompt is too long. */
export class InvalidRequestError extends PunaError {
  /** OpenAI's name of this kind of error. */
  readonly type = "invalid_request_error";
  /** Path of the field at fault, such as `messages[0].role`; `null` where no single field is. */
  readonly param: string | null;

  constructor(
    message: string,
    init: ErrorInit & { code?: "invalid_request" | "context_length_exceeded" } = {},
  ) {
    super(init.code ?? "invalid_request", message, init);
    this.name = "InvalidRequestError";
    const param = this.details["param"];
    this.param = typeof param === "string" ? param : null;
  }
}

/**
 * An error as plain data. The engine throws `{code, message, details}`; anything else that was thrown is a
 * defect and becomes `internal`.
 */
export function toWire(error: unknown): WireError {
  if (isRecord(error) && isErrorCode(error["code"])) {
    const { code, message, details } = error;
    return { code, message: typeof message === "string" ? message : code, details: plain(details) };
  }
  if (error instanceof Error) {
    if (error.name === "AbortError") return { code: "aborted", message: error.message, details: {} };
    return {
      code: "internal",
      message: `${error.name}: ${error.message}`,
      details: { stack: error.stack ?? "" },
    };
  }
  return { code: "internal", message: String(error), details: {} };
}

/** The error that plain data stands for: the class its code belongs to. */
export function fromWire(wire: unknown): PunaError {
  const { code, message, details } = toWire(wire);
  switch (code) {
    case "aborted":
      return new AbortError(message, { details });
    case "unsupported_device":
      return new UnsupportedDeviceError(message, { details });
    case "invalid_request":
    case "context_length_exceeded":
      return new InvalidRequestError(message, { code, details });
    case "device_lost":
    case "out_of_memory":
    case "shader_failed":
    case "network":
    case "integrity":
    case "storage_full":
    case "bad_model_file":
    case "unsupported_model":
    case "busy":
    case "internal":
      return new PunaError(code, message, { details });
  }
}

/** The `AbortError` of a signal that was aborted. */
export function abortErrorOf(signal: AbortSignal): AbortError {
  return new AbortError(undefined, { cause: signal.reason });
}

function isErrorCode(code: unknown): code is ErrorCode {
  return (ERROR_CODES as readonly unknown[]).includes(code);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Details as data that can be posted: functions and the like would make `postMessage` throw. */
function plain(details: unknown): ErrorDetails {
  if (!isRecord(details)) return {};
  try {
    return camelKeys(JSON.parse(JSON.stringify(details))) as ErrorDetails;
  } catch {
    return {};
  }
}
