// What a model thought has two names among servers; here it has the one that the rest of the package gives it.

/** An answer or a chunk with `reasoning_content` where the server says `reasoning`. */
export function withReasoning(answer: object): object {
  const { choices } = answer as { choices?: unknown };
  if (!Array.isArray(choices)) return answer;
  return { ...answer, choices: choices.map((choice: unknown) => renamed(choice)) };
}

function renamed(choice: unknown): unknown {
  if (typeof choice !== "object" || choice === null) return choice;
  const all = choice as Record<string, unknown>;
  for (const name of ["message", "delta"]) {
    const said = all[name];
    if (typeof said !== "object" || said === null) continue;
    const { reasoning, ...rest } = said as Record<string, unknown>;
    if (typeof reasoning !== "string") continue;
    return { ...all, [name]: { reasoning_content: reasoning, ...rest } };
  }
  return choice;
}
