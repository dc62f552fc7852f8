// One answer of the model: what it says, and what tools it calls.

import type {
  ChatCompletionAssistantMessageParam,
  ChatCompletionChunkToolCall,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageToolCall,
} from "../types/openai.js";
import type { ChatModel } from "./behind.js";

/** What a model is asked for. */
export type Request = Omit<ChatCompletionCreateParamsStreaming, "stream" | "stream_options">;

/** An answer. */
export interface Round {
  /** Without what it began with. */
  text: string;
  calls: ChatCompletionMessageToolCall[];
  /** Whether there was no room for more. */
  isCut: boolean;
  /** As the next request has it. */
  message: ChatCompletionAssistantMessageParam;
}

/** Takes a call of a tool, or more of its arguments. */
function gather(calls: ChatCompletionMessageToolCall[], piece: ChatCompletionChunkToolCall): void {
  const { index, id, function: what } = piece;
  const begun = calls[index];
  if (begun !== undefined) begun.function.arguments += what.arguments;
  else if (id !== undefined && what.name !== undefined)
    calls[index] = { id, type: "function", function: { name: what.name, arguments: what.arguments } };
}

/** Asks for an answer that begins with `prefix`; `onPiece` hears what is thought before and the rest of it, piece by piece. */
export async function round(
  model: ChatModel,
  request: Request,
  prefix: string,
  onPiece: (type: "text" | "thought", piece: string) => void,
  signal: AbortSignal,
): Promise<Round> {
  const stream = await model.chat.completions.create({ ...request, stream: true }, { signal });
  const answer = { content: "", reasoning: "", isCut: false };
  const calls: ChatCompletionMessageToolCall[] = [];
  for await (const { choices } of stream) {
    const choice = choices[0];
    if (choice === undefined) continue;
    const { content = "", reasoning_content: reasoning = "", tool_calls: called = [] } = choice.delta;
    const before = answer.content.length;
    answer.content += content;
    answer.reasoning += reasoning;
    if (reasoning !== "") onPiece("thought", reasoning);
    for (const piece of called) gather(calls, piece);
    if (choice.finish_reason === "length") answer.isCut = true;
    const piece = answer.content.slice(Math.max(before, prefix.length));
    if (piece !== "") onPiece("text", piece);
  }
  const { content, reasoning, isCut } = answer;
  return {
    text: content.slice(prefix.length),
    calls,
    isCut,
    message: {
      role: "assistant",
      content: content === "" && calls.length > 0 ? null : content,
      ...(reasoning !== "" && { reasoning_content: reasoning }),
      ...(calls.length > 0 && { tool_calls: calls }),
    },
  };
}
