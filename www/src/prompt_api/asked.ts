// What `prompt` and its like are given, as it was read.

import { type Constraint, readConstraint } from "./constraint.js";
import { type GivenMessage, type Said, readPrompt } from "./messages.js";
import { type Thinking, readThinking } from "./thinking.js";
import { abortSignal, dictionary } from "./webidl.js";

/** What is asked of a session. */
export interface Asked {
  input: GivenMessage[];
  constraint: Constraint | null;
  /** Whether the model is told what it is held to. */
  isTold: boolean;
  thinking: Thinking;
  signal: AbortSignal | null;
}

/** Reads the arguments of a method of a session that thinks so much. */
export function readAsked(given: [input: unknown, options?: unknown], thinking: Thinking): Asked {
  if ((given.length as number) === 0) throw new TypeError("input: missing");
  const [input, options] = given;
  const members = dictionary(options, "options");
  const constraint = readConstraint(members["responseConstraint"]);
  const isOmitted = Boolean(members["omitResponseConstraintInput"]);
  if (isOmitted && constraint === null) {
    throw new TypeError("omitResponseConstraintInput: of no use without responseConstraint");
  }
  return {
    input: readPrompt(input),
    constraint,
    isTold: !isOmitted,
    thinking: readThinking(members["thinking"], thinking),
    signal: abortSignal(members["signal"], "options.signal"),
  };
}

/** A prompt with what its answer is held to in words, if the model is to be told. */
export function told(said: Said, { constraint, isTold }: Asked): Said {
  return constraint !== null && isTold ? instructed(said, constraint) : said;
}

/** The words stand at the end of what the user says last. */
function instructed({ messages, prefix }: Said, { instruction }: Constraint): Said {
  const all = [...messages];
  const ix = all.findLastIndex(({ role }) => role === "user");
  const user = all[ix];
  if (user?.role === "user" && typeof user.content === "string") {
    all[ix] = { ...user, content: user.content === "" ? instruction : `${user.content}\n\n${instruction}` };
  } else all.push({ role: "user", content: instruction });
  return { messages: all, prefix };
}
