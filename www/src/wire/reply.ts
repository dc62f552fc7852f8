// What a hosted API would send: JSON, streams of events, and errors with the status that clients branch on.

import type { PunaError } from "../errors.js";
import type { ErrorCode } from "../generated/codes.js";
import type { ChatStream } from "../stream.js";

/** The body of an error response. */
interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
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

/** The answer to a request that failed. */
export function errorReply(error: PunaError): Response {
  const status = STATUS[error.code];
  // What failed here once will fail again, unless the model was busy: a client need not try.
  const headers: Record<string, string> = status === 429 ? {} : { "x-should-retry": "false" };
  return jsonReply(status, errorBody(error), headers);
}

/**
 * An answer as server-sent events (the HTML standard, "Server-sent events"), as the chunks are made. Where the work fails
 * the last event is the error, as OpenAI's server does it; leaving it unread stops the work. `signal` is what the request
 * was made with.
 */
export function streamReply(chunks: ChatStream<unknown>, signal: AbortSignal | null): Response {
  const encoder = new TextEncoder();
  const event = (data: string): Uint8Array => encoder.encode(`data: ${data}\n\n`);
  const iterator = chunks[Symbol.asyncIterator]();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await iterator.next();
          if (done !== true) {
            controller.enqueue(event(JSON.stringify(value)));
            return;
          }
          controller.enqueue(event("[DONE]"));
        } catch (error) {
          if (signal?.aborted === true) {
            controller.error(signal.reason);
            return;
          }
          controller.enqueue(event(JSON.stringify(errorBody(error as PunaError))));
        }
        controller.close();
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  const headers = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    ...common(),
  };
  return new Response(body, { headers });
}

/** As OpenAI's servers word it. */
function errorBody(error: PunaError): ErrorBody {
  const { code, message, details } = error;
  const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
  if (STATUS[code] === 400) {
    const reason = code === "context_length_exceeded" ? code : text(details["reason"]);
    return { error: { message, type: "invalid_request_error", param: text(details["param"]), code: reason } };
  }
  const type = code === "busy" ? "rate_limit_error" : "server_error";
  return { error: { message, type, param: null, code } };
}

/** An abort is no answer, and has no status: it rejects. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
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
};

/** Clients put it into their errors. */
function common(): Record<string, string> {
  const random = crypto.getRandomValues(new Uint8Array(16));
  const id = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { "x-request-id": `req_${id}` };
}
