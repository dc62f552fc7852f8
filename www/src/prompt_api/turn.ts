// A turn of a conversation: a prompt, calls of tools with what they say, and the answer.

import type { ChatCompletionMessageParam } from "../types/openai.js";
import type { Behind, Room } from "./behind.js";
import { type Constraint, begunWith } from "./constraint.js";
import type { Conversation } from "./conversation.js";
import { domException } from "./errors.js";
import type { Said } from "./messages.js";
import { round } from "./round.js";
import { type Sampling, wireSampling } from "./sampling.js";
import type { Thinking } from "./thinking.js";
import { type Tools, callOf } from "./tools.js";
import type { LanguageModelMessageContent } from "./types.js";

/** What a turn needs. */
export interface Turn {
  behind: Behind;
  conversation: Conversation;
  said: Said;
  constraint: Constraint | null;
  tools: Tools;
  sampling: Sampling;
  thinking: Thinking;
  /** Hears what is said, what was thought if that is asked for, and calls that are for the page. */
  onPart: (part: LanguageModelMessageContent) => void;
  /** Hears what had to go to make room, and what is left. */
  onRoom: (room: Room) => void;
  signal: AbortSignal;
}

/** Takes a turn; the conversation after it. */
export async function take(turn: Turn): Promise<Conversation> {
  const { behind, said, constraint, tools, sampling, thinking, onPart, onRoom, signal } = turn;
  let { conversation } = turn;
  let { prefix } = said;
  const added: ChatCompletionMessageParam[] = [...said.messages];
  const request = {
    ...wireSampling(sampling),
    reasoning_effort: thinking.effort,
    ...(tools.declared && { tools: tools.declared }),
  };
  for (let calls = 0; ;) {
    const begun: ChatCompletionMessageParam[] = prefix === "" ? [] : [{ role: "assistant", content: prefix }];
    const room = await behind.roomFor(conversation, [...added, ...begun], tools);
    signal.throwIfAborted();
    onRoom(room);
    conversation = room.conversation;
    const messages = behind.fitting(conversation.with(added).messages);
    const held = constraint?.held(prefix) ?? begunWith(prefix);
    const answer = await round(
      behind.model,
      { ...request, ...held, messages },
      prefix,
      (type, value) => {
        if (type === "text" || thinking.includeThoughts) onPart({ type, value });
      },
      signal,
    );
    added.push(answer.message);
    if (answer.calls.length === 0 || !tools.isClosedLoop) {
      if (constraint !== null && answer.calls.length === 0) meet(constraint, answer.text, answer.isCut);
      for (const call of answer.calls) onPart({ type: "tool-call", value: callOf(call) });
      const whole = conversation.with(added);
      // What was thought is of use up to the answer.
      return answer.calls.length === 0 ? whole.withoutThoughts() : whole;
    }
    const results = await tools.answers(answer.calls, calls);
    calls += answer.calls.length;
    // The answer that goes on from a prefix was given: what follows is another.
    prefix = "";
    for (const [ix, { id }] of answer.calls.entries()) {
      added.push({ role: "tool", tool_call_id: id, content: results[ix] ?? "" });
    }
  }
}

function meet(constraint: Constraint, answer: string, isCut: boolean): void {
  if (constraint.isMet(answer)) return;
  const why = isCut
    ? "there was no room for the rest of it; bound it, or shorten the conversation"
    : "the model's answer is another";
  throw domException("SyntaxError", `the answer is not what responseConstraint asks for: ${why}`);
}
