// One request on its way to a page, and its answer on the way back.

import { Failure, failureEvent, failureOf, failureReply, pageGone } from "./failure.js";
import { onFree } from "./locks.js";
import type { Asked, FromOffer, ToOffer, ToPage } from "./messages.js";
import type { Found } from "./find.js";

/** Where an answer's bytes come from. */
interface Source {
  /** The next ones; `null` at the end. */
  read(): Promise<Uint8Array | null>;
  cancel(): void;
}

/** What is known of the request besides itself. */
interface Circumstances {
  /** The lock of this worker's life. */
  worker: string;
  /** Of the address, for which API's words an error is told in. */
  path: string;
  /** Calls back when whoever asked has gone; gives a function that ends that. */
  onLeft: (left: () => void) => () => void;
}

/**
 * Asks an offer. `done` settles when nothing more of the answer comes: a stream goes on after it was given. Where the page
 * goes the answer ends with an error: as its status if there is none yet, else as a stream's last event.
 */
export function ask(
  offer: Found,
  request: Asked,
  circumstances: Circumstances,
): { answer: Promise<Response>; done: Promise<void> } {
  let finish: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { answer: answerOf(offer, request, circumstances, finish), done };
}

async function answerOf(
  { page, offer }: Found,
  request: Asked,
  { worker, path, onLeft }: Circumstances,
  done: () => void,
): Promise<Response> {
  const { port1: port, port2 } = new MessageChannel();
  const say = (message: ToOffer): void => {
    port.postMessage(message);
  };
  let fail: (failure: Failure) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => undefined);
  const releaseOffer = onFree(offer, () => {
    fail(pageGone());
  });
  const end = (): void => {
    releaseOffer();
    port.close();
    done();
  };
  const replies = new Replies(port);
  page.postMessage({ puna: "ask", offer, worker, request } satisfies ToPage, [port2]);

  const releaseLeft = onLeft(() => {
    say({ kind: "cancel" });
    fail(new Failure(499, "aborted", "whoever asked has gone"));
  });
  try {
    const head = await Promise.race([replies.next(), failed]);
    if (head.kind === "failed") throw new Failure(500, head.code, head.message);
    if (head.kind !== "head") throw new Failure(500, "internal", `a page answered with ${head.kind} first`);
    const from = head.body === undefined ? asMessages(replies, say) : asStream(head.body);
    const source: Source = { ...from, read: () => Promise.race([from.read(), failed]) };
    const headers = new Headers(head.headers);
    const init = { status: head.status, headers };
    if (/^text\/event-stream\b/.test(headers.get("content-type") ?? "")) {
      return new Response(eventsOf(source, path, end), init);
    }
    // As a whole: what fails on the way is told by the status.
    const body = await wholeOf(source);
    end();
    return new Response(body, init);
  } catch (error) {
    end();
    return failureReply(failureOf(error), path);
  } finally {
    releaseLeft();
  }
}

/** What comes through a port, one by one. */
class Replies {
  readonly #queue: FromOffer[] = [];
  #wake: (() => void) | null = null;

  constructor(port: MessagePort) {
    port.onmessage = ({ data }) => {
      this.#queue.push(data as FromOffer);
      this.#wake?.();
    };
  }

  async next(): Promise<FromOffer> {
    for (;;) {
      const reply = this.#queue.shift();
      if (reply !== undefined) return reply;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A stream that the page has handed over. */
function asStream(stream: ReadableStream<Uint8Array>): Source {
  const reader = stream.getReader();
  return {
    async read() {
      const { done, value } = await reader.read();
      return done ? null : value;
    },
    cancel() {
      reader.cancel().catch(() => undefined);
    },
  };
}

/** Where streams can't be handed over. */
function asMessages(replies: Replies, say: (message: ToOffer) => void): Source {
  return {
    async read() {
      say({ kind: "pull" });
      const reply = await replies.next();
      if (reply.kind === "chunk") return reply.bytes;
      if (reply.kind === "end") return null;
      const { code, message } =
        reply.kind === "failed" ? reply : { code: "internal", message: "a page began its answer twice" };
      throw new Failure(500, code, message);
    },
    cancel() {
      say({ kind: "cancel" });
    },
  };
}

/** Events as they come, each chunk some whole ones; nothing is read before it is asked for. */
function eventsOf(source: Source, path: string, end: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const bytes = await source.read();
          if (bytes !== null) {
            controller.enqueue(bytes);
            return;
          }
        } catch (error) {
          controller.enqueue(failureEvent(failureOf(error), path));
        }
        controller.close();
        end();
      },
      cancel() {
        source.cancel();
        end();
      },
    },
    { highWaterMark: 0 },
  );
}

async function wholeOf(source: Source): Promise<Blob> {
  const parts: BlobPart[] = [];
  for (let bytes = await source.read(); bytes !== null; bytes = await source.read()) {
    parts.push(bytes as BlobPart);
  }
  return new Blob(parts);
}
