// From options to a session, and whether there could be one.

import { assertActive } from "./active.js";
import type { Backing } from "./backing.js";
import type { Behind } from "./behind.js";
import { Conversation } from "./conversation.js";
import { domException, inWordsOfTheDraft, quotaExceeded } from "./errors.js";
import { unsupported } from "./expected.js";
import { canonical, readMessages } from "./messages.js";
import { Monitor, Progress } from "./monitor.js";
import { PARAMS } from "./sampling.js";
import { Scope, untilAborted } from "./scope.js";
import { Session, Setup, whole } from "./session.js";
import type { Tools } from "./tools.js";
import type { Availability, LanguageModelParams } from "./types.js";
import { type Wanted, readWanted } from "./wanted.js";
import { abortSignal, dictionary, shown } from "./webidl.js";

/** `LanguageModel.availability`. */
export async function availability(backing: Backing, given: unknown): Promise<Availability> {
  assertActive();
  const { inputs, outputs } = readWanted(dictionary(given, "options"));
  if (unsupported(inputs, outputs, backing.languages) !== null) return "unavailable";
  return backing.availability();
}

/** `LanguageModel.params`. */
export async function params(backing: Backing): Promise<LanguageModelParams | null> {
  return (await availability(backing, undefined)) === "unavailable" ? null : PARAMS;
}

/** `LanguageModel.create`, for sessions of the class `Own`. */
export async function create(
  backing: Backing,
  Own: new (setup: Setup) => Session,
  given: unknown,
): Promise<Session> {
  assertActive();
  const options = dictionary(given, "options");
  const wanted = readWanted(options);
  const signal = abortSignal(options["signal"], "options.signal");
  const initial = readInitial(options["initialPrompts"], wanted);
  signal?.throwIfAborted();
  const monitor = monitorFor(options["monitor"]);
  const scope = new Scope([signal]);
  const progress = new Progress(monitor, scope.signal);
  backing.retain();
  try {
    const setup = await untilAborted(
      prepared(backing, wanted, initial, progress, scope.signal),
      scope.signal,
    );
    const session = new Own(setup);
    if (signal !== null) Session.endWith(session, signal);
    return session;
  } catch (error) {
    throw inWordsOfTheDraft(error, "create");
  } finally {
    backing.release();
    scope.release();
  }
}

async function prepared(
  backing: Backing,
  wanted: Wanted,
  conversation: Conversation,
  progress: Progress,
  signal: AbortSignal,
): Promise<Setup> {
  // Nothing is told before the caller has its promise.
  await Promise.resolve();
  const missing = unsupported(wanted.inputs, wanted.outputs, backing.languages);
  if (missing !== null) throw domException("NotSupportedError", missing);
  progress.at(0);
  const behind = await backing.ready(signal, (fraction) => {
    progress.at(fraction);
  });
  progress.at(1);
  // Whoever hears of the end may stop it all.
  await new Promise((resolve) => setTimeout(resolve, 0));
  signal.throwIfAborted();
  const usage = await begun(behind, conversation, wanted.tools, signal);
  signal.throwIfAborted();
  return new Setup(backing, wanted, behind.contextWindow, conversation, usage);
}

/** Reads what a session begins with; the tokens that it takes. */
async function begun(
  behind: Behind,
  conversation: Conversation,
  tools: Tools,
  signal: AbortSignal,
): Promise<number> {
  const { messages } = conversation;
  const usage = await behind.count(messages, tools);
  if (usage > behind.contextWindow) throw quotaExceeded(usage, behind.contextWindow);
  if (messages.length > 0) await behind.read(messages, tools, signal);
  return usage;
}

/** What is never dropped. */
function readInitial(value: unknown, { inputs }: Wanted): Conversation {
  if (value === undefined) return new Conversation();
  const given = readMessages(value, "initialPrompts");
  return new Conversation(given.length > 0 ? whole(canonical(given, inputs.types, true)) : []);
}

function monitorFor(callback: unknown): Monitor | null {
  if (callback === undefined) return null;
  if (typeof callback !== "function")
    throw new TypeError(`monitor: expected a function, got ${shown(callback)}`);
  const monitor = new Monitor();
  (callback as (monitor: Monitor) => unknown)(monitor);
  return monitor;
}
