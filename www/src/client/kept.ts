// Where earlier responses of `/v1/responses` are kept: requests that refer to one have to go there.

import { EventReader } from "./events.js";
import type { Where } from "./policy.js";

/** Ids that are remembered; older ones are nobody's. */
const MOST_IDS = 4096;

/** Bytes of a stream, in some of which its response is named. */
const MOST_BYTES = 2 ** 20;

/** Which side keeps what, as far as it came through here. */
export class Kept {
  readonly #places = new Map<string, Where>();

  /** Where a request has to go: `null` anywhere, `unknown` to whoever is asked first. */
  placeOf(path: string, body: unknown): Where | "unknown" | null {
    const id = idOf(path, body);
    return id === null ? null : (this.#places.get(id) ?? "unknown");
  }

  /** The same answer; its response will be found again. */
  async noted(response: Response, where: Where): Promise<Response> {
    if (!response.ok || response.body === null) return response;
    if (!/^text\/event-stream\b/.test(response.headers.get("content-type") ?? "")) {
      const text = await response.text();
      this.#note(parsed(text), where);
      return new Response(text, response);
    }
    const events = new EventReader();
    let seen = 0;
    const look = new TransformStream<Uint8Array, Uint8Array>({
      transform: (bytes, controller) => {
        controller.enqueue(bytes);
        // Its first event names it, and so does its last.
        if (seen > MOST_BYTES) return;
        seen += bytes.length;
        for (const { data } of events.push(bytes)) {
          this.#note((parsed(data) as { response?: unknown } | null)?.response, where);
        }
      },
    });
    return new Response(response.body.pipeThrough(look), response);
  }

  #note(response: unknown, where: Where): void {
    const id = (response as { id?: unknown } | null | undefined)?.id;
    if (typeof id !== "string") return;
    this.#places.delete(id);
    this.#places.set(id, where);
    if (this.#places.size <= MOST_IDS) return;
    const [oldest] = this.#places.keys();
    if (oldest !== undefined) this.#places.delete(oldest);
  }
}

/** The response that a request refers to; of an item it is not known whose it is. */
function idOf(path: string, body: unknown): string | null {
  const [, id] = /^\/responses\/([^/]+)/.exec(path) ?? [];
  if (id !== undefined && id !== "input_tokens") return decoded(id);
  if (!path.startsWith("/responses") || typeof body !== "object" || body === null) return null;
  const { previous_response_id: previous, input } = body as Record<string, unknown>;
  if (typeof previous === "string") return previous;
  return Array.isArray(input) && input.some(isReference) ? "" : null;
}

function isReference(item: unknown): boolean {
  return typeof item === "object" && item !== null && (item as { type?: unknown }).type === "item_reference";
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return null;
  }
}
