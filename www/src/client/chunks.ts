// A streamed answer of a server, chunk by chunk.

import { EventReader, type ServerEvent } from "./events.js";
import { type Sent, remoteFailure, statusError, toldBy } from "./remote_error.js";

/** What is looked at in a chunk. */
interface Chunk {
  choices: { index?: unknown; finish_reason?: unknown }[];
}

/** The chunks of an answer, to its end. One that breaks off before is an error. */
export async function* chunksOf(response: Response, sent: Sent): AsyncGenerator<object, void> {
  const ends = new Ends();
  for await (const { type, data } of eventsOf(response)) {
    if (data === "[DONE]") return;
    const chunk = chunkOf(type, data, response, sent);
    ends.note(chunk);
    yield chunk;
  }
  // Not every server says that it is done, but all say why a choice ends.
  if (!ends.areAll) throw remoteFailure(sent, "the stream broke off before its end");
}

async function* eventsOf({ body }: Response): AsyncGenerator<ServerEvent, void> {
  if (body === null) return;
  const events = new EventReader();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield* events.push(value);
    }
    yield* events.end();
  } finally {
    // Whatever is left of it nobody will read.
    reader.cancel().catch(() => undefined);
  }
}

function chunkOf(type: string, data: string, response: Response, sent: Sent): Chunk {
  let chunk: unknown;
  try {
    chunk = JSON.parse(data);
  } catch (cause) {
    throw remoteFailure(sent, "the stream has an event that is no JSON, or broke off in it", { cause });
  }
  if (isChunk(chunk)) return chunk;
  if (type === "error" || (typeof chunk === "object" && chunk !== null && "error" in chunk)) {
    throw statusError(sent, statusOf(chunk), chunk, response.headers);
  }
  const said = toldBy(chunk).message;
  throw remoteFailure(
    sent,
    `expected a chunk with choices, got something else${said === null ? "" : `: ${said}`}`,
  );
}

function isChunk(chunk: unknown): chunk is Chunk {
  if (typeof chunk !== "object" || chunk === null || !("choices" in chunk)) return false;
  const { choices } = chunk;
  return Array.isArray(choices) && choices.every((choice) => typeof choice === "object" && choice !== null);
}

/** An error in a stream has its status, if at all, as its code; what fails on the way fails there. */
function statusOf(body: unknown): number {
  const { error } = (body ?? {}) as { error?: { code?: unknown } | null };
  const code = Number(error?.code);
  return Number.isInteger(code) && code >= 400 && code <= 599 ? code : 500;
}

/** Which choices have come to their end. */
class Ends {
  readonly #open = new Set<unknown>();
  #isAny = false;

  note({ choices }: Chunk): void {
    for (const { index, finish_reason: reason } of choices) {
      this.#isAny = true;
      if (typeof reason === "string") this.#open.delete(index);
      else this.#open.add(index);
    }
  }

  get areAll(): boolean {
    return this.#isAny && this.#open.size === 0;
  }
}
