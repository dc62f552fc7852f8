// Where a request goes: here, to the server, or here first and there where it can't be answered here.

import { type ErrorCode, InvalidRequestError, PunaError } from "../index.js";
import { untilAborted } from "./wait.js";

/** This device, or the server. */
export type Where = "local" | "remote";

/**
 * Why an answer came from where it did: `policy` where nothing stood in the way; else why the other one did not answer: the
 * code of its error, that the model is still `loading`, that there is no local model (`no_local`), or that what the request
 * refers to is `kept` here and not there.
 */
export type Reason = "policy" | "loading" | "no_local" | "kept" | ErrorCode;

/** What every answer tells. */
export interface Ran {
  /** Where it was made. */
  ranOn: Where;
  /** Why there. */
  reason: Reason;
}

/** A request, as a policy sees it. */
export interface PolicyRequest {
  method: string;
  /** Below the API's root: `/chat/completions`, for example. */
  path: string;
  /** What is asked; `null` where nothing is, or no JSON. */
  body: unknown;
}

/** What a policy is asked when a request can't be answered here. */
export interface PolicyQuestion {
  /** Why it can't. */
  reason: Reason;
  /** The same as an error, with a message to show: what the request fails with if it is not sent. */
  error: PunaError;
  /** What would be sent. */
  request: PolicyRequest;
  /** Whoever asked has given it up when this is aborted. */
  signal: AbortSignal | null;
}

/**
 * Where requests go. `local`: here, and nowhere else. `local-first`: here, and to the server what can't be answered here.
 * `remote-first`: to the server, and what it can't answer is answered here. `remote`: to the server. A function decides about
 * each request that can't be answered here; it may ask the person first.
 */
export type Policy =
  | "local"
  | "local-first"
  | "remote-first"
  | "remote"
  | ((question: PolicyQuestion) => Where | Promise<Where>);

/** The names of policies. */
export const POLICIES = ["local", "local-first", "remote-first", "remote"] as const;

/** What one side came to. */
export interface Attempt<T> {
  /** Why there is no answer. */
  error: unknown;
  /** The answer, or what the caller is told in its place. */
  told: () => T;
}

/** Both sides of a client. */
export interface Sides<T> {
  /** `isPatient`: whether it waits for a model that is still loading. */
  local: (isPatient: boolean) => Promise<Attempt<T>>;
  /** `null` where nothing may be sent. `because`: why it was not answered here. */
  remote: ((because: PunaError | null) => Promise<Attempt<T>>) | null;
}

/** An answer, and where it was made. */
export interface Routed<T> {
  attempt: Attempt<T>;
  ran: Ran;
}

/** There is nothing here that could answer, or not yet. */
export class NotHere extends PunaError {
  readonly reason: "loading" | "no_local" | "kept";

  constructor(reason: NotHere["reason"], message: string, details: Record<string, unknown> = {}) {
    super(reason === "loading" ? "busy" : "invalid_request", message, { details: { reason, ...details } });
    this.reason = reason;
  }
}

/** Asks where the policy says, and then at most the other side. */
export async function route<T>(
  policy: Policy,
  request: PolicyRequest,
  signal: AbortSignal | null,
  { local, remote }: Sides<T>,
): Promise<Routed<T>> {
  const here = async (reason: Reason): Promise<Routed<T>> => ({
    attempt: await local(true),
    ran: { ranOn: "local", reason },
  });
  if (remote === null || policy === "local") return here("policy");
  const there = async (because: PunaError | null): Promise<Routed<T>> => ({
    attempt: await remote(because),
    ran: { ranOn: "remote", reason: because === null ? "policy" : reasonOf(because) },
  });
  if (policy === "remote") return there(null);
  if (policy === "remote-first") {
    const first = await there(null);
    const { error } = first.attempt;
    if (!isInability(error)) return first;
    const second = await here(reasonOf(error));
    return second.attempt.error instanceof NotHere ? first : second;
  }
  // A function may have a model waited for, which may fail then.
  for (let isPatient = false; ; isPatient = true) {
    const attempt = await local(isPatient);
    const { error } = attempt;
    if (isInability(error)) {
      const question = { reason: reasonOf(error), error, request, signal };
      if ((policy === "local-first" ? "remote" : await decide(policy, question)) === "remote") {
        return there(error);
      }
      if (question.reason === "loading") continue;
    }
    return { attempt, ran: { ranOn: "local", reason: "policy" } };
  }
}

/** Whether a side can't answer a request that there is nothing wrong with. */
function isInability(error: unknown): error is PunaError {
  if (error instanceof NotHere) return true;
  return error instanceof PunaError && error.code !== "invalid_request" && error.code !== "aborted";
}

function reasonOf(error: PunaError): Reason {
  return error instanceof NotHere ? error.reason : error.code;
}

async function decide(policy: Exclude<Policy, string>, question: PolicyQuestion): Promise<Where> {
  const where: unknown = await untilAborted(Promise.resolve(policy(question)), question.signal);
  if (where === "local" || where === "remote") return where;
  throw new InvalidRequestError(
    `policy: expected the function to return "local" or "remote", got ${typeof where === "string" ? JSON.stringify(where) : typeof where}`,
    { details: { param: "policy" } },
  );
}
