// An engine that says what a test has it say, and tells what it was asked: the fake one with other answers.

import type { ChatCompletionMessageParam, ChatCompletionTool } from "../../src/types/openai.js";
import type { LoadEngine } from "../../src/worker/serve.js";
import { FakeWorker, loadFake } from "./worker.js";

/** What of a request a test looks at. */
export interface ScriptedRequest {
  messages: (ChatCompletionMessageParam & { content?: string | null })[];
  tools?: ChatCompletionTool[];
  temperature?: number;
  top_k?: number;
  top_p?: number;
  min_p?: number;
  reasoning_effort?: string;
  response_format?: { json_schema: { schema: object } };
  puna?: { regex?: string; grammar?: { syntax: string; definition: string } };
}

/** An answer: a text, or one with more than that; an error is thrown. */
export type ScriptedAnswer =
  | string
  | Error
  | {
      content?: string;
      reasoning?: string;
      calls?: { name: string; arguments: string }[];
      /** Whether arguments come piece by piece. */
      inPieces?: boolean;
      isCut?: boolean;
    };

/** What a test gives and sees. */
export class Script {
  /** Says something to a request. */
  answer: (request: ScriptedRequest, count: number) => ScriptedAnswer | Promise<ScriptedAnswer> = () =>
    "Yes.";
  /** Refuses messages, as a template does. */
  refuses: (request: ScriptedRequest) => boolean = () => false;
  /** The code of that. */
  refusal = "invalid_request";
  /** All that it was to answer. */
  readonly requests: ScriptedRequest[] = [];
  /** All that it was to read ahead. */
  readonly read: ScriptedRequest[] = [];
  /** What it waits for before it has read something. */
  onRead: () => Promise<void> = () => Promise.resolve();
  /** Answers that were stopped. */
  stopped = 0;
  /** The workers that were started. */
  readonly workers: FakeWorker[] = [];

  /** Starts a worker that keeps to it. */
  readonly start = (): FakeWorker => {
    const worker = new FakeWorker(this.#load);
    this.workers.push(worker);
    return worker;
  };

  readonly #load: LoadEngine = async (request, onProgress, signal) => {
    const engine = await loadFake(request, onProgress, signal);
    return Object.assign(engine, {
      tokenize: (_wire: string, body: string) => {
        const ids = this.#tokens(JSON.parse(body) as ScriptedRequest);
        return JSON.stringify({ ids: ids.map((_, ix) => ix), texts: ids });
      },
      read: async (body: string) => {
        const asked = JSON.parse(body) as ScriptedRequest;
        this.read.push(asked);
        await this.onRead();
        return JSON.stringify({ ids: this.#tokens(asked).map((_, ix) => ix), cached_tokens: 0 });
      },
      chat: (body: string, onChunk: (json: string) => void, signal: AbortSignal | undefined) =>
        this.#chat(JSON.parse(body) as ScriptedRequest, onChunk, signal),
    });
  };

  /** A token a word, one for who says it, and one for the answer that is to come. */
  #tokens(request: ScriptedRequest): string[] {
    if (this.refuses(request))
      throw refused("the model's chat template refuses these messages", this.refusal);
    const { messages, tools = [] } = request;
    const words = messages.flatMap((message) => [message.role, ...wordsOf(said(message))]);
    return [...tools.flatMap(() => ["a", "tool"]), ...words, "assistant"];
  }

  async #chat(
    request: ScriptedRequest,
    onChunk: (json: string) => void,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    this.requests.push(request);
    if (this.refuses(request))
      throw refused("the model's chat template refuses these messages", this.refusal);
    const answer = await this.answer(request, this.requests.length);
    if (answer instanceof Error) throw answer;
    const {
      content = "",
      reasoning = "",
      calls = [],
      inPieces = false,
      isCut = false,
    } = typeof answer === "string" ? { content: answer } : answer;
    const say = (delta: object, finish: string | null = null): void => {
      const choices = [{ index: 0, delta, finish_reason: finish, logprobs: null }];
      onChunk(JSON.stringify({ id: "1", object: "chat.completion.chunk", created: 1, model: "m", choices }));
    };
    say({ role: "assistant", content: "" });
    if (reasoning !== "") say({ reasoning_content: reasoning });
    for (const piece of content.match(/[^]{1,3}/g) ?? []) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (signal?.aborted === true) {
        this.stopped++;
        throw Object.assign(new Error("stopped"), { code: "aborted", details: {} });
      }
      say({ content: piece });
    }
    const called = calls.map((call, index) => ({
      index,
      id: `call0000${index}`,
      type: "function",
      function: call,
    }));
    for (const { function: what, ...call } of called) {
      // As an engine says it of answers that are held to calls: the name first, then the arguments in pieces.
      const pieces = inPieces ? (what.arguments.match(/[^]{1,3}/g) ?? []) : [];
      const begun = { ...what, ...(inPieces && { arguments: "" }) };
      say({ tool_calls: [{ ...call, function: begun }] });
      for (const piece of pieces)
        say({ tool_calls: [{ index: call.index, function: { arguments: piece } }] });
    }
    say({}, isCut ? "length" : called.length > 0 ? "tool_calls" : "stop");
    onChunk(
      JSON.stringify({ id: "1", object: "chat.completion.chunk", choices: [], usage: { prompt_tokens: 1 } }),
    );
    return "";
  }
}

/** What the engine refuses a request with. */
export function refused(
  message: string,
  code = "invalid_request",
  details: object = { param: "messages" },
): Error {
  return Object.assign(new Error(message), { code, details });
}

function said(message: ChatCompletionMessageParam): string {
  const calls = "tool_calls" in message ? (message.tool_calls ?? []) : [];
  const text = typeof message.content === "string" ? message.content : "";
  return [text, ...calls.map((call) => `${call.function.name} ${call.function.arguments}`)].join(" ");
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
