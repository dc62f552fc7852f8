// One request by the object interface, wherever it goes.

import { type Model, type PunaError, type RequestOptions, abortErrorOf, jsonOf } from "../index.js";
import type { Answered } from "./answers.js";
import type { Local } from "./local.js";
import { type ClientSetup, policyOf, requireSide } from "./options.js";
import { type Attempt, type Policy, type Ran, route } from "./policy.js";
import { withReasoning } from "./reasoning.js";
import type { Remote, RemoteRequest } from "./remote.js";
import { AnswerStream } from "./stream.js";

/** Options of a client's request. */
export interface ClientRequestOptions extends RequestOptions {
  /** Where this request goes, in place of the client's policy. */
  policy?: Policy;
}

/** A kind of request. */
export interface Call {
  method: "GET" | "POST";
  path: string;
  /** What an answer has a list of. */
  list: "choices" | "data";
  /** The same of a model that is here. */
  local: (model: Model, body: object, options: RequestOptions) => Promise<object>;
}

type Body = Record<string, unknown>;

/** An answer, before it is known to say where it was made. */
type Made = (ran: Ran) => object;

/** Asks one client's sides. */
export class Asker {
  readonly #setup: ClientSetup;
  readonly #local: Local;
  readonly #remote: Remote | null;

  constructor(setup: ClientSetup, local: Local, remote: Remote | null) {
    this.#setup = setup;
    this.#local = local;
    this.#remote = remote;
  }

  /** The policy of a request that may have one of its own. */
  policyFor(own: Policy | undefined): Policy {
    if (own === undefined) return this.#setup.policy;
    const policy = policyOf(own, "policy");
    requireSide(policy, { hasLocal: this.#setup.local !== null, hasRemote: this.#remote !== null });
    return policy;
  }

  /** The answer, or a stream of it; `body` is `null` where there is none. */
  async ask<T extends Answered, Chunk extends Answered>(
    call: Call,
    body: object | null,
    { signal = null, policy }: ClientRequestOptions,
  ): Promise<T | AnswerStream<Chunk>> {
    const { method, path, list } = call;
    // A copy: the caller may change theirs while a model is loading. What can't be written as JSON nobody reads.
    const asked = body === null ? null : (JSON.parse(jsonOf(body)) as Body);
    if (signal?.aborted === true) throw abortErrorOf(signal);
    const remote = this.#remote;
    const { attempt, ran } = await route<Made>(
      this.policyFor(policy),
      { method, path, body: asked },
      signal,
      {
        local: (isPatient) => attemptOf(this.#here(call, asked, { isPatient, signal })),
        remote:
          remote &&
          ((because) =>
            attemptOf(there(remote, { method, path, body: asked ?? undefined, signal }, list, because))),
      },
    );
    // One side or the other: both have OpenAI's answers.
    return attempt.told()(ran) as T | AnswerStream<Chunk>;
  }

  async #here(
    { local }: Call,
    body: Body | null,
    { isPatient, signal }: { isPatient: boolean; signal: AbortSignal | null },
  ): Promise<Made> {
    const model = await this.#local.forRequest(isPatient || this.#setup.whileLoading === "wait", signal);
    const answer = await local(model, body ?? {}, { signal });
    if (isStream(answer)) return (ran) => new AnswerStream(answer, answer.controller, ran);
    return (puna) => ({ ...answer, puna });
  }
}

async function there(
  remote: Remote,
  request: RemoteRequest & { body: Body | undefined },
  list: Call["list"],
  because: PunaError | null,
): Promise<Made> {
  if (request.body?.["stream"] === true) {
    const { chunks, controller } = await remote.stream(request, because);
    return (ran) => new AnswerStream(mapped(chunks, withReasoning), controller, ran);
  }
  const answer = await remote.whole(request, list, because);
  return (puna) => ({ ...withReasoning(answer), puna });
}

async function attemptOf<T>(work: Promise<T>): Promise<Attempt<T>> {
  try {
    const value = await work;
    return { error: null, told: () => value };
  } catch (error) {
    return {
      error,
      told: () => {
        throw error;
      },
    };
  }
}

function isStream(answer: object): answer is AsyncIterable<object> & { controller: AbortController } {
  return Symbol.asyncIterator in answer;
}

async function* mapped<T, U>(
  chunks: AsyncGenerator<T, void>,
  each: (chunk: T) => U,
): AsyncGenerator<U, void> {
  for await (const chunk of chunks) yield each(chunk);
}
