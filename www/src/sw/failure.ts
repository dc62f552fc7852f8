// What the service worker itself has to refuse, in the words of the API that was asked.

import { jsonReply } from "../wire/reply.js";

/** Why there is no answer, or no more of one. */
export class Failure extends Error {
  readonly status: number;
  /** What clients branch on. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "Failure";
    this.status = status;
    this.code = code;
  }
}

/** There is nobody to answer. */
export function noModel(): Failure {
  return new Failure(
    503,
    "no_model",
    "no open page of this origin has a model: open one that loads a model and calls answer() of puna/sw-page",
  );
}

/** Whoever was answering has gone. */
export function pageGone(): Failure {
  return new Failure(
    503,
    "page_gone",
    "the page whose model was answering is gone: it was closed, left or reloaded; ask again",
  );
}

/** What went wrong, as a failure; anything that was not foreseen is a defect. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new Failure(500, "internal", text);
}

/** A request that failed before there was any answer. */
export function failureReply(failure: Failure, path: string): Response {
  // Another try would find the same, unless a person does something.
  return jsonReply(failure.status, bodyOf(failure, path), { "x-should-retry": "false" });
}

/** The last event of a stream that failed. */
export function failureEvent(failure: Failure, path: string): Uint8Array {
  const front = isAnthropic(path) ? "event: error\n" : "";
  return new TextEncoder().encode(`${front}data: ${JSON.stringify(bodyOf(failure, path))}\n\n`);
}

function bodyOf({ message, code, status }: Failure, path: string): object {
  if (isAnthropic(path)) {
    return { type: "error", error: { type: status === 503 ? "overloaded_error" : "api_error", message } };
  }
  return { error: { message, type: "server_error", param: null, code } };
}

function isAnthropic(path: string): boolean {
  return /\/messages\/?$/.test(path);
}
