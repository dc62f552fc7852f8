// What a server refused, or failed with, as the errors of the rest of the package.

import { type ErrorCode, type ErrorDetails, InvalidRequestError, PunaError } from "../index.js";

/** Characters of a server's message that are repeated. */
const MOST_MESSAGE = 1000;

/** The server did not answer: it could not be reached, refused, had no room or failed, or its answer broke off. */
export class RemoteError extends PunaError {
  /** HTTP's; `null` where there was no answer at all. */
  readonly status: number | null;

  constructor(
    code: "network" | "busy",
    message: string,
    { details, ...init }: { details: ErrorDetails; cause?: unknown },
  ) {
    super(code, message, { ...init, details });
    this.name = "RemoteError";
    const status = details["status"];
    this.status = typeof status === "number" ? status : null;
  }
}

/** What a request was, for the messages of its errors. */
export interface Sent {
  method: string;
  /** Without a query, which may hold secrets. */
  url: string;
  /** Why it was not answered here. */
  because: PunaError | null;
}

/** What there was instead of an answer. */
export function remoteFailure(
  { method, url, because }: Sent,
  message: string,
  { status = null, cause, ...more }: { status?: number | null; cause?: unknown } & ErrorDetails = {},
): RemoteError {
  const details = { ranOn: "remote", status, url, ...more, ...localOf(because) };
  const text = `${method} ${url}: ${message}`;
  return new RemoteError("network", text, cause === undefined ? { details } : { details, cause });
}

/** What an error of the server is here, by its status and what its body says. */
export function statusError(
  { method, url, because }: Sent,
  status: number,
  body: unknown,
  headers: Headers,
): PunaError {
  const told = toldBy(body);
  const code = codeOf(status, told);
  const said = told.message === null ? "" : `: ${told.message}`;
  const message = `${method} ${url}: expected an answer, got status ${status}${said}${adviceOf(status)}`;
  const details = {
    ranOn: "remote",
    status,
    url,
    type: told.type,
    param: told.param,
    reason: told.code,
    requestId: headers.get("x-request-id") ?? headers.get("request-id"),
    retryAfter: headers.get("retry-after"),
    ...localOf(because),
  };
  return code === "invalid_request" || code === "context_length_exceeded"
    ? new InvalidRequestError(message, { code, details })
    : new RemoteError(code, message, { details });
}

type RemoteCode = Extract<ErrorCode, "invalid_request" | "context_length_exceeded" | "network" | "busy">;

/** The code for a status and what was said with it. */
function codeOf(status: number, told: Told): RemoteCode {
  if (status === 429 || status === 503 || status === 529) return "busy";
  if (isTooLong(told)) return "context_length_exceeded";
  // Keys, addresses and names of models are the page's, not the request's.
  return [400, 409, 413, 415, 422].includes(status) ? "invalid_request" : "network";
}

interface Told {
  message: string | null;
  type: string | null;
  param: string | null;
  code: string | null;
}

const NOTHING: Told = { message: null, type: null, param: null, code: null };

/** As OpenAI has it, or Anthropic, or vLLM before it had an `error`; or a framework's `detail`. */
export function toldBy(body: unknown): Told {
  if (typeof body !== "object" || body === null) return { ...NOTHING, message: text(body) };
  const { error = body, detail } = body as { error?: unknown; detail?: unknown };
  if (typeof error !== "object" || error === null) return { ...NOTHING, message: text(error) };
  const { message, type, param, code } = error as Record<string, unknown>;
  return {
    message: text(message) ?? text(detail) ?? (detail === undefined ? null : text(JSON.stringify(detail))),
    type: text(type),
    param: text(param),
    code: text(code),
  };
}

/** By OpenAI's code, llama.cpp's type, and vLLM's words, which has nothing else for it. */
function isTooLong({ code, type, message }: Told): boolean {
  if (code === "context_length_exceeded" || type === "exceed_context_size_error") return true;
  return message !== null && /maximum context length is \d+/i.test(message);
}

function adviceOf(status: number): string {
  if (status === 401 || status === 403) return "; look at remote.apiKey and remote.headers";
  if (status === 404 || status === 405) return "; look at remote.baseURL and remote.model";
  return status === 429 || status === 503 ? "; try again later" : "";
}

function localOf(because: PunaError | null): ErrorDetails {
  return because === null ? {} : { local: { code: because.code, message: because.message } };
}

function text(value: unknown): string | null {
  if (typeof value !== "string") return null;
  return value.length <= MOST_MESSAGE ? value : `${value.slice(0, MOST_MESSAGE)}…`;
}
