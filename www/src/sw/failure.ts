// What the service worker itself has to refuse, in the words of the API that was asked.

import { ANTHROPIC, type Dialect, type Failed, OPENAI, RESPONSES } from "../wire/reply.js";

/** Why there is no answer, or no more of one. */
export class Failure extends Error implements Failed {
  /** What clients branch on. */
  readonly code: string;
  /** `status`, and whether another `retry` may find it otherwise. */
  readonly details: { status: number; retry: boolean };

  constructor(status: number, code: string, message: string, { retry = false } = {}) {
    super(message);
    this.name = "Failure";
    this.code = code;
    this.details = { status, retry };
  }
}

/** There is nobody to answer. */
export function noModel(): Failure {
  return new Failure(
    503,
    "no_model",
    "no open page of this origin offers a model: open one that loads a model and calls answer() of puna/sw-page",
  );
}

/** There is somebody, who says nothing. */
export function pageSilent(ms: number): Failure {
  return new Failure(
    503,
    "page_silent",
    `a page of this origin offers a model but said nothing for ${ms} ms: its script is busy; ask again, or reload that page`,
    { retry: true },
  );
}

/** Whoever was answering has gone. */
export function pageGone(): Failure {
  return new Failure(
    503,
    "page_gone",
    "the page whose model was answering is gone: it was closed, left or reloaded, or has taken its offer back; ask again",
    { retry: true },
  );
}

/** What went wrong, as a failure; anything that was not foreseen is a defect. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new Failure(500, "internal", text);
}

/** The words in which a request to this path is answered. */
export function dialectOf(path: string): Dialect {
  if (/\/messages(\/count_tokens)?\/?$/.test(path)) return ANTHROPIC;
  return isOfResponses(path) ? RESPONSES : OPENAI;
}

/** Whether a path is one of OpenAI's newer wire, whose answers may refer to earlier ones. */
export function isOfResponses(path: string): boolean {
  return /\/responses(\/[^/]+(\/input_items)?)?\/?$/.test(path);
}
