// A `fetch` that answers by the client's policy: here as the model's own, on the server as the platform's.

import {
  AbortError,
  type Asked,
  type Model,
  PunaError,
  askedOf,
  dialectOf,
  errorReply,
  fromWire,
  refusalReply,
} from "../index.js";
import { Kept } from "./kept.js";
import type { Local } from "./local.js";
import type { ClientSetup } from "./options.js";
import { type Attempt, NotHere, type Ran, route } from "./policy.js";
import { refusalOf } from "./received.js";
import { type Remote, unreachable } from "./remote.js";

/** What of an address is the API's; in front of it stands what the caller's client has for a base. */
const PATH =
  /\/(?:models(?:\/[^/]+)?|chat\/completions|completions|embeddings|responses(?:\/[^/]+(?:\/input_items)?)?|messages(?:\/count_tokens)?)$/;

/** A request as both sides get it. */
interface Incoming {
  asked: Asked;
  /** Below the API's root. */
  path: string;
  /** `undefined` where there is none. */
  text: string | undefined;
  /** The same as an object; `null` where it is none. */
  body: object | null;
}

/** `fetch` for the sides of a client. */
export function fetchOf(setup: ClientSetup, local: Local, remote: Remote | null): typeof fetch {
  const kept = new Kept();
  const { policy } = setup;
  return async (input, init) => {
    const asked = askedOf(input, init);
    const { method, path: whole, signal } = asked;
    signal?.throwIfAborted();
    const path = PATH.exec(whole)?.[0];
    if (path === undefined) return refusalReply(404, `Invalid URL (${method} ${whole})`);
    const text = method === "GET" || method === "HEAD" ? undefined : await asked.text();
    const incoming: Incoming = { asked, path, text, body: parsed(text) };

    let place = kept.placeOf(path, incoming.body);
    // Nobody knows whose it is: whoever is asked first says so, and the other is not asked.
    if (place === "unknown") {
      place = remote !== null && (policy === "remote" || policy === "remote-first") ? "remote" : "local";
    }
    const hasNothing = place === "local" && policy !== "remote" && policy !== "remote-first";
    try {
      const { attempt, ran } = await route<Response>(policy, { method, path, body: incoming.body }, signal, {
        local: (isPatient) =>
          place === "remote"
            ? refused(keptBy("the server"), path)
            : here(local, incoming, isPatient || setup.whileLoading === "wait"),
        remote:
          remote === null || hasNothing
            ? null
            : () =>
                place === "local" && policy === "remote-first"
                  ? refused(keptBy("this page"), path)
                  : there(remote, incoming),
      });
      const answer = marked(attempt.told(), ran);
      return method === "POST" && path === "/responses" ? await kept.noted(answer, ran.ranOn) : answer;
    } catch (error) {
      // As the platform's: with the reason, whatever it is.
      signal?.throwIfAborted();
      throw error;
    }
  };
}

async function here(
  local: Local,
  { asked, path, text }: Incoming,
  isPatient: boolean,
): Promise<Attempt<Response>> {
  const { method, url, headers, signal } = asked;
  let model: Model;
  try {
    model = await local.forRequest(isPatient, signal);
  } catch (error) {
    if (!(error instanceof PunaError) || error instanceof AbortError) throw error;
    return refused(error, path);
  }
  const response = await model.fetch(url, {
    method,
    headers,
    signal,
    ...(text === undefined ? {} : { body: text }),
  });
  const error = response.ok ? null : await errorOf(response.clone());
  return { error, told: () => response };
}

async function there(remote: Remote, { asked, path, text, body }: Incoming): Promise<Attempt<Response>> {
  const { method, url, headers, signal } = asked;
  const sent = remote.sentOf({ method, path }, null);
  try {
    // What is no object goes as it is, to be refused there; `DELETE` has nothing.
    const request = {
      method,
      path,
      query: url.search,
      headers,
      body: body ?? (text === "" ? undefined : text),
      signal,
    };
    const response = await remote.send(request);
    const error = response.ok ? null : await refusalOf(response.clone(), sent);
    return { error, told: () => response };
  } catch (error) {
    signal?.throwIfAborted();
    // It was not sent.
    if (error instanceof PunaError) return refused(error, path);
    return {
      error: unreachable(sent, error),
      told: () => {
        throw error;
      },
    };
  }
}

/** A failure in the API's own words. */
function refused(error: PunaError, path: string): Promise<Attempt<Response>> {
  return Promise.resolve({ error, told: () => errorReply(error, dialectOf(path)) });
}

function keptBy(whom: string): NotHere {
  return new NotHere("kept", `the response that this request refers to is kept by ${whom}`, {
    param: "previous_response_id",
    reason: "previous_response_not_found",
  });
}

/** What a model has answered with in place of an answer. */
async function errorOf(response: Response): Promise<PunaError> {
  const { error } = ((await response.json()) ?? {}) as { error?: { message?: unknown; param?: unknown } };
  const { message, param } = error ?? {};
  const details = { status: response.status, param: typeof param === "string" ? param : null };
  // Refusals of addresses and methods have no code of their own.
  const code = response.headers.get("x-puna-error") ?? "invalid_request";
  return fromWire({ code, message, details });
}

/** The same answer, with where it was made. */
function marked(response: Response, { ranOn, reason }: Ran): Response {
  const headers = new Headers(response.headers);
  headers.set("x-puna-ran-on", ranOn);
  headers.set("x-puna-reason", reason);
  const { status, statusText, body } = response;
  return new Response(body, { status, statusText, headers });
}

/** The object that a request is in JSON. */
function parsed(text: string | undefined): object | null {
  try {
    const body = JSON.parse(text ?? "null") as unknown;
    return typeof body === "object" ? body : null;
  } catch {
    return null;
  }
}
