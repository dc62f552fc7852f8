// What a server has sent, read with a bound.

import type { PunaError } from "../index.js";
import { type Sent, statusError } from "./remote_error.js";

/** Most bytes of an answer, and of what an error says. */
const MOST_BYTES = 2 ** 28;
const MOST_ERROR_BYTES = 2 ** 16;

/** The body of an answer in JSON; `undefined` for what is none. */
export async function bodyOf(response: Response): Promise<unknown> {
  return jsonOf(await textOf(response, MOST_BYTES));
}

/** What a server has answered with in place of an answer, as an error of the package. */
export async function refusalOf(response: Response, sent: Sent): Promise<PunaError> {
  const text = await textOf(response, MOST_ERROR_BYTES);
  return statusError(sent, response.status, jsonOf(text) ?? text, response.headers);
}

/** A body as a text. What is longer is no answer; of an error the rest does not matter. */
async function textOf({ body }: Response, mostBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  if (body === null) return text;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > mostBytes) {
      // Not waited for: of a copy it ends when the other one does.
      reader.cancel().catch(() => undefined);
      if (mostBytes === MOST_ERROR_BYTES) return text;
      throw new RangeError(`the answer has more than ${mostBytes} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** `undefined` for what is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether a body has a list of that name. */
export function hasArray(body: unknown, name: string): body is object {
  return typeof body === "object" && body !== null && Array.isArray((body as Record<string, unknown>)[name]);
}
