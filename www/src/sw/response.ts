// What the browser is given as the answer to a request.

import { type Dialect, EVENTS, common, errorReply, eventOf, failureEvent } from "../wire/reply.js";
import type { Exchange, Head } from "./exchange.js";
import { failureOf } from "./failure.js";

/** How a request is to be answered. */
export interface Manner {
  /** Whose words errors are told in. */
  dialect: Dialect;
  /** Whether events were asked for. */
  isStream: boolean;
  /**
   * Settles when a browser has waited long enough. As long as an answer has not begun, none tells a service worker that
   * whoever asked has given up, and Chromium gives a request five minutes: so a late answer begins before it is known, with
   * the status of success. What fails then is told in its body, as hosted APIs do it behind an answer's beginning.
   */
  late: Promise<unknown>;
}

/** The answer: events as they come, all else as a whole, so that what fails on the way is told by the status. */
export async function responseOf(exchange: Exchange, { dialect, isStream, late }: Manner): Promise<Response> {
  try {
    const whole = exchange.head.then(async (head) => (isEvents(head) ? null : exchange.readAll()));
    whole.catch(() => undefined);
    const head = await Promise.race([exchange.head, late.then(() => null)]);
    if (head === null) {
      return isStream
        ? new Response(eventsOf(exchange, whole, dialect), { headers: { ...EVENTS, ...common() } })
        : new Response(wholeOf(exchange, whole, dialect), { headers: { ...JSON_BODY, ...common() } });
    }
    if (isEvents(head)) return new Response(eventsOf(exchange, whole, dialect), head);
    const body = await Promise.race([whole, late.then(() => wholeOf(exchange, whole, dialect))]);
    return new Response(body, head);
  } catch (error) {
    return errorReply(failureOf(error), dialect);
  }
}

const JSON_BODY = { "content-type": "application/json", "cache-control": "no-cache" };

/** Nothing is read before it is asked for. */
const UNREAD = { highWaterMark: 0 };

function isEvents({ headers }: Head): boolean {
  return /^text\/event-stream\b/.test(headers.get("content-type") ?? "");
}

/** Events, each chunk some whole ones; of an answer that turns out to be none, and so is an error, one event is made. */
function eventsOf(
  exchange: Exchange,
  whole: Promise<Blob | null>,
  dialect: Dialect,
): ReadableStream<Uint8Array> {
  let events = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const refusal = await whole;
          const bytes = refusal === null ? await exchange.read() : null;
          if (bytes !== null) {
            events += 1;
            controller.enqueue(bytes);
            return;
          }
          if (refusal !== null) controller.enqueue(refused(await refusal.text(), dialect));
        } catch (error) {
          controller.enqueue(failureEvent(failureOf(error), dialect, events, common()["request-id"]));
        }
        controller.close();
      },
      cancel() {
        exchange.cancel();
      },
    },
    UNREAD,
  );
}

/** An answer that is no stream, in a body that is there before it is. */
function wholeOf(
  exchange: Exchange,
  whole: Promise<Blob | null>,
  dialect: Dialect,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let body: Blob;
        try {
          // Events that nobody asked for are handed on as they are.
          body = (await whole) ?? (await exchange.readAll());
        } catch (error) {
          body = await errorReply(failureOf(error), dialect).blob();
        }
        controller.enqueue(new Uint8Array(await body.arrayBuffer()));
        controller.close();
      },
      cancel() {
        exchange.cancel();
      },
    },
    UNREAD,
  );
}

/** The body of a refusal as an event. */
function refused(body: string, dialect: Dialect): Uint8Array {
  const said = JSON.parse(body) as { error?: { code?: string | null; message?: string } };
  if (dialect.failure === undefined) return eventOf(said, dialect);
  const { code, message } = said.error ?? {};
  const failed = { code: code ?? "invalid_request", message: message ?? body, details: {} };
  return eventOf(dialect.failure(failed, 0), dialect);
}
