// What a hosted API would send: JSON, streams of events, and errors with the status that clients branch on.

import type { ErrorDetails } from "../errors.js";
import type { ErrorCode } from "../generated/codes.js";

/** What is told of an error: of a `PunaError`, or of what a service worker could not do. */
export interface Failed {
  code: string;
  message: string;
  details: ErrorDetails;
}

/** An answer in JSON. `headers` come on top. */
export function jsonReply(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...common(), ...headers },
  });
}

/** The answer to a request that is no such thing as the API has; `code` is OpenAI's. */
export function refusalReply(
  status: number,
  message: string,
  { param = null, code = null }: { param?: string | null; code?: string | null } = {},
): Response {
  return jsonReply(status, { error: { message, type: "invalid_request_error", param, code } });
}

/** What the wires differ in: errors, and events. */
export interface Dialect {
  /** The body of an error. */
  error: (error: Failed, requestId: string) => unknown;
  /** The same as an event behind so many others, where it is another. */
  failure?: (error: Failed, events: number) => unknown;
  /** What stands in front of an event's data. */
  front: (data: unknown) => string;
  /** The last event's data, if there is one that says so. */
  done: string | null;
}

/** The answer to a request that failed. */
export function errorReply(error: Failed, dialect: Dialect): Response {
  const status = statusOf(error);
  const headers = common();
  // What failed here once will fail again, unless the model was busy: a client need not try.
  const retry: Record<string, string> =
    status === 429 || error.details["retry"] === true ? {} : { "x-should-retry": "false" };
  return jsonReply(status, dialect.error(error, headers["request-id"]), { ...headers, ...retry });
}

/**
 * An answer as server-sent events (the HTML standard, "Server-sent events"), as the chunks are made. Where the work fails
 * the last event is the error, as hosted APIs do it; cancelling it stops the work. `signal` is what the request was made
 * with.
 */
export function streamReply(
  chunks: AsyncIterable<unknown>,
  signal: AbortSignal | null,
  dialect: Dialect,
): Response {
  const headers = common();
  const iterator = chunks[Symbol.asyncIterator]();
  let events = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await iterator.next();
          if (next.done !== true) {
            events += 1;
            controller.enqueue(eventOf(next.value, dialect));
            return;
          }
          if (dialect.done !== null) controller.enqueue(encoded("", dialect.done));
        } catch (error) {
          if (signal?.aborted === true) {
            controller.error(signal.reason);
            return;
          }
          controller.enqueue(failureEvent(error as Failed, dialect, events, headers["request-id"]));
        }
        controller.close();
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { ...EVENTS, ...headers } });
}

/** Headers of server-sent events. */
export const EVENTS = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };

/** One event. */
export function eventOf(data: unknown, dialect: Dialect): Uint8Array {
  return encoded(dialect.front(data), JSON.stringify(data));
}

/** The last event of a stream that failed behind so many others. */
export function failureEvent(error: Failed, dialect: Dialect, events: number, requestId: string): Uint8Array {
  return eventOf(dialect.failure?.(error, events) ?? dialect.error(error, requestId), dialect);
}

function encoded(front: string, data: string): Uint8Array {
  return new TextEncoder().encode(`${front}data: ${data}\n\n`);
}

/** OpenAI's. */
export const OPENAI: Dialect = {
  error(error) {
    const { code, message, details } = error;
    const status = statusOf(error);
    if (status < 500 && status !== 429) {
      const reason = code === "context_length_exceeded" ? code : text(details["reason"]);
      return {
        error: { message, type: "invalid_request_error", param: text(details["param"]), code: reason },
      };
    }
    const type = code === "busy" ? "rate_limit_error" : "server_error";
    return { error: { message, type, param: null, code } };
  },
  front: () => "",
  done: "[DONE]",
};

/** OpenAI's newer one, whose events have names. */
export const RESPONSES: Dialect = {
  error: OPENAI.error,
  failure: ({ code, message }, events) => ({
    type: "error",
    code,
    message,
    param: null,
    sequence_number: events,
  }),
  front: named,
  done: null,
};

/** Anthropic's, whose events have names. */
export const ANTHROPIC: Dialect = {
  error(error, requestId) {
    const type = { 400: "invalid_request_error", 429: "rate_limit_error" }[statusOf(error)] ?? "api_error";
    return { type: "error", error: { type, message: error.message }, request_id: requestId };
  },
  front: named,
  done: null,
};

function named(data: unknown): string {
  return `event: ${text((data as { type?: unknown }).type) ?? "message"}\n`;
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** Its own, or what its code has. */
function statusOf({ code, details }: Failed): number {
  const { status } = details;
  return typeof status === "number" ? status : (STATUS[code] ?? 500);
}

/** An abort is no answer, and has no status: it rejects. */
const STATUS: Readonly<Record<string, number>> = {
  aborted: 499,
  bad_model_file: 500,
  busy: 429,
  context_length_exceeded: 400,
  device_lost: 500,
  integrity: 500,
  internal: 500,
  invalid_request: 400,
  network: 500,
  out_of_memory: 500,
  shader_failed: 500,
  storage_full: 500,
  unsupported_device: 500,
  unsupported_model: 500,
} satisfies Record<ErrorCode, number>;

/** Clients put it into their errors; by either name. */
export function common(): { "request-id": string; "x-request-id": string } {
  const random = crypto.getRandomValues(new Uint8Array(16));
  const digits = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const id = `req_${digits}`;
  return { "request-id": id, "x-request-id": id };
}
