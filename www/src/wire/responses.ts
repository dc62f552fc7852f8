// What is kept of answers of `/v1/responses`, so that later requests can refer to them, as OpenAI's server keeps it: here,
// in the page, as long as there is room and the model is loaded.

import type { PunaError } from "../errors.js";
import { InvalidRequestError } from "../errors.js";

/** Most responses that are kept, and characters of their JSON. */
const MOST_RESPONSES = 512;
const MOST_CHARACTERS = 16_000_000;

type Item = Record<string, unknown>;

/** A response with what it answered. */
interface Kept {
  response: Item & { output: Item[] };
  /** What was new in the request; what stood in front is its `previous`. */
  input: Item[];
  previous: string | null;
  characters: number;
}

/** A request that refers to nothing any more. */
interface Completed {
  json: string;
  /** Keeps its response, unless it asks for the contrary. */
  keep: (response: unknown) => void;
}

/** The responses of one model. */
export class Responses {
  /** The oldest first. */
  readonly #kept = new Map<string, Kept>();
  #characters = 0;

  /**
   * A request with all that it refers to in its place. What is wrong with it otherwise its reader says.
   *
   * @throws for what is not here, as OpenAI's server refuses it
   */
  complete(request: string): Completed {
    const body = objectOf(request);
    const items = itemsOf(body?.["input"]);
    // No object, or neither a list of items nor a text.
    if (body === null || items === null) return { json: request, keep: () => undefined };
    const { previous_response_id: given, store } = body;
    const previous = typeof given === "string" ? given : null;
    const before = previous === null ? [] : this.#before(previous);
    const input = items.map((item, ix) => (isReference(item) ? this.#item(item, ix) : item));
    return {
      json: JSON.stringify({ ...body, input: [...before, ...input] }),
      keep: (response) => {
        if (store !== false && isResponse(response)) this.#keep(response, input, previous);
      },
    };
  }

  #keep(response: Kept["response"] & { id: string }, given: Item[], previous: string | null): void {
    const input = given.map((item, ix) => ({ id: `in_${String(ix)}_${response.id}`, ...item }));
    const characters = JSON.stringify([response, input]).length;
    this.#kept.set(response.id, { response, input, previous, characters });
    this.#characters += characters;
    for (const id of this.#kept.keys()) {
      if (this.#kept.size <= MOST_RESPONSES && this.#characters <= MOST_CHARACTERS) break;
      this.remove(id);
    }
  }

  /** A response by its id. */
  get(id: string): Item | null {
    return this.#kept.get(id)?.response ?? null;
  }

  /** What a response answered, all of it, the newest first; `null` where it is not here. */
  input(id: string): Item[] | null {
    const kept = this.#kept.get(id);
    if (kept === undefined) return null;
    const before = kept.previous === null ? [] : (this.#history(kept.previous) ?? []);
    return [...before, ...kept.input].reverse();
  }

  /** Forgets a response; whether it was here. */
  remove(id: string): boolean {
    this.#characters -= this.#kept.get(id)?.characters ?? 0;
    return this.#kept.delete(id);
  }

  /** All that was said up to a response and in it, or an error that names it. */
  #before(id: string): Item[] {
    const items = this.#history(id);
    if (items !== null) return items;
    throw refusal(400, `Previous response with id '${id}' not found.`, {
      param: "previous_response_id",
      reason: "previous_response_not_found",
    });
  }

  #history(id: string): Item[] | null {
    const links: Kept[] = [];
    for (let at: string | null = id; at !== null;) {
      const kept = this.#kept.get(at);
      // No response is made before the one that it goes on from: there are no circles.
      if (kept === undefined) return null;
      links.push(kept);
      at = kept.previous;
    }
    return links.reverse().flatMap(({ input, response }) => [...input, ...response.output]);
  }

  #item({ id }: Item, ix: number): Item {
    for (const { input, response } of this.#kept.values()) {
      const found = [...input, ...response.output].find((item) => item["id"] === id);
      if (found !== undefined) return found;
    }
    throw refusal(404, `Item with id '${String(id)}' not found.`, {
      param: `input[${String(ix)}]`,
      reason: null,
    });
  }
}

/** An error that has a status of its own. */
function refusal(
  status: number,
  message: string,
  { param, reason }: { param: string; reason: string | null },
): PunaError {
  return new InvalidRequestError(message, { details: { param, reason, status } });
}

/** A reader of its events, which `tap` sees first. */
export function tapped<T>(stream: AsyncIterable<T>, tap: (event: T) => void): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const events = stream[Symbol.asyncIterator]();
      return {
        async next() {
          const result = await events.next();
          if (result.done !== true) tap(result.value);
          return result;
        },
        return: async () => (await events.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}

/** The response that an event ends, or `null`. */
export function endedBy(event: unknown): unknown {
  const { type, response } = event as { type?: unknown; response?: unknown };
  return type === "response.completed" || type === "response.incomplete" ? response : null;
}

function objectOf(json: string): Item | null {
  try {
    const body = JSON.parse(json) as unknown;
    return typeof body === "object" && body !== null && !Array.isArray(body) ? (body as Item) : null;
  } catch {
    return null;
  }
}

/** What `input` holds, as items. */
function itemsOf(input: unknown): Item[] | null {
  if (typeof input === "string") {
    return [{ type: "message", role: "user", content: [{ type: "input_text", text: input }] }];
  }
  const isItem = (item: unknown): item is Item => typeof item === "object" && item !== null;
  return Array.isArray(input) && input.every(isItem) ? input : null;
}

function isReference(item: unknown): boolean {
  return typeof item === "object" && item !== null && (item as Item)["type"] === "item_reference";
}

function isResponse(response: unknown): response is Kept["response"] & { id: string } {
  if (typeof response !== "object" || response === null) return false;
  const { id, output } = response as Item;
  return typeof id === "string" && Array.isArray(output);
}
