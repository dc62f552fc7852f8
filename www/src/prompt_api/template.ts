// What a model's chat template makes of conversations. The draft lets messages follow each other as they like; some templates
// know no word of the system's, or insist that user and assistant take turns.

import { PunaError } from "../index.js";
import type { ChatCompletionMessageParam } from "../types/openai.js";

/** What a template takes. */
export interface Template {
  /** Whether the system may say something. */
  hasSystem: boolean;
  /** Whether somebody may say two things in a row. */
  hasRows: boolean;
}

/** Finds out, by asking for the tokens of some conversations; rejects where a model has no template at all. */
export async function templateOf(
  count: (messages: ChatCompletionMessageParam[]) => Promise<number>,
): Promise<Template> {
  const user: ChatCompletionMessageParam = { role: "user", content: "a" };
  await count([user]);
  return {
    hasSystem: await isTaken(count([{ role: "system", content: "a" }, user])),
    hasRows: await isTaken(count([user, user])),
  };
}

async function isTaken(counted: Promise<number>): Promise<boolean> {
  try {
    await counted;
    return true;
  } catch (error) {
    if (error instanceof PunaError && REFUSALS.includes(error.code)) return false;
    throw error;
  }
}

/** A template refuses in its own words, or fails where it takes something for granted. */
const REFUSALS: readonly PunaError["code"][] = ["invalid_request", "unsupported_model"];

/** The same conversation as the template takes it. */
export function fitting(
  messages: readonly ChatCompletionMessageParam[],
  { hasSystem, hasRows }: Template,
): ChatCompletionMessageParam[] {
  const told = hasSystem
    ? messages
    : messages.map((one) => (one.role === "system" ? { ...one, role: "user" as const } : one));
  if (hasSystem && hasRows) return [...told];
  const fit: ChatCompletionMessageParam[] = [];
  for (const [ix, message] of told.entries()) {
    const last = fit.at(-1);
    // Where rows are taken, only what was the system's is put together with what follows.
    const isRow = last?.role === message.role && (!hasRows || messages[ix - 1]?.role === "system");
    if (last !== undefined && isRow && isText(last) && isText(message)) {
      fit[fit.length - 1] = { ...last, content: `${last.content}\n\n${message.content}` };
    } else fit.push(message);
  }
  return fit;
}

function isText(
  message: ChatCompletionMessageParam,
): message is ChatCompletionMessageParam & { role: "user" | "assistant"; content: string } {
  const { role, content } = message;
  return (
    (role === "user" || role === "assistant") && typeof content === "string" && !("tool_calls" in message)
  );
}
