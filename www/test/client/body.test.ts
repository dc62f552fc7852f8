// What a server gets of a request.
import { describe, expect, it } from "vitest";

import { remoteBody } from "../../src/client/body.js";
import { InvalidRequestError } from "../../src/errors.js";

const CHAT = "/chat/completions";
const at = (server?: "openai" | "vllm" | "llama.cpp"): Parameters<typeof remoteBody>[2] => ({
  baseURL: "https://far.example.org/v1",
  model: "far-1",
  ...(server === undefined ? {} : { server }),
});
const messages = [{ role: "user", content: "Hello" }];
const given = { messages, model: "near", temperature: 0.5, top_k: 40, repetition_penalty: 1.1 };

describe("a request for a server", () => {
  it("has the server's name of the model, and everything that is OpenAI's", () => {
    const all = {
      messages,
      tools: [{}],
      response_format: { type: "json_object" },
      stream: true,
      seed: 1,
      n: 2,
    };
    expect(remoteBody(all, CHAT, at())).toEqual({ ...all, model: "far-1" });
    expect(remoteBody({ input: ["a"] }, "/embeddings", at())).toEqual({ input: ["a"], model: "far-1" });
  });

  it("is refused where it wants adapters, which are this page's", () => {
    for (const server of [undefined, "vllm", "llama.cpp"] as const) {
      const send = (adapters: unknown): unknown =>
        remoteBody({ messages, puna: { adapters } }, CHAT, at(server));
      expect(() => send({ legal: 0.5 })).toThrow(/puna.adapters: the server has none/);
      for (const none of [null, {}, { legal: 0 }]) expect(send(none)).toEqual({ messages, model: "far-1" });
    }
  });

  it("names what others have beside OpenAI's as the server does", () => {
    const puna = { min_p: 0.1, top_k: null, cache: "keep" };
    const shared = { messages, temperature: 0.5, model: "far-1" };
    const extras = { top_k: 40, min_p: 0.1 };
    const body = { ...given, puna };
    expect(remoteBody(body, CHAT, at())).toEqual({ ...shared, ...extras, repetition_penalty: 1.1 });
    expect(remoteBody(body, CHAT, at("vllm"))).toEqual({ ...shared, ...extras, repetition_penalty: 1.1 });
    expect(remoteBody(body, CHAT, at("llama.cpp"))).toEqual({ ...shared, ...extras, repeat_penalty: 1.1 });
    expect(remoteBody(body, CHAT, at("openai"))).toEqual(shared);
    // On Anthropic's wire it is the wire's own.
    expect(remoteBody({ messages, top_k: 40 }, "/messages", at("openai"))).toMatchObject({ top_k: 40 });
  });

  it("asks for what an answer is held to, or is refused: it is never left out", () => {
    const regex = { messages, puna: { regex: "yes|no" } };
    const grammar = (syntax: string): object => ({
      messages,
      puna: { grammar: { syntax, definition: "d" } },
    });
    expect(remoteBody(regex, CHAT, at("vllm"))).toEqual({
      messages,
      structured_outputs: { regex: "yes|no" },
      model: "far-1",
    });
    for (const syntax of ["gbnf", "lark"]) {
      expect(remoteBody(grammar(syntax), CHAT, at("vllm"))).toMatchObject({
        structured_outputs: { grammar: "d" },
      });
    }
    expect(remoteBody(grammar("regex"), CHAT, at("vllm"))).toMatchObject({
      structured_outputs: { regex: "d" },
    });
    expect(remoteBody(grammar("gbnf"), CHAT, at("llama.cpp"))).toEqual({
      messages,
      grammar: "d",
      model: "far-1",
    });
    for (const [body, path, server, param] of [
      [regex, CHAT, undefined, "puna.regex"],
      [regex, CHAT, "openai", "puna.regex"],
      [regex, CHAT, "llama.cpp", "puna.regex"],
      [grammar("lark"), CHAT, "llama.cpp", "puna.grammar"],
      [grammar("gbnf"), CHAT, undefined, "puna.grammar"],
      [{ input: "a", puna: { regex: "a" } }, "/responses", "vllm", "puna.regex"],
      [{ messages, puna: "regex" }, CHAT, "vllm", "puna"],
      [{ messages, puna: { regexp: "a" } }, CHAT, "vllm", "puna.regexp"],
      [{ messages, puna: { grammar: "a" } }, CHAT, "vllm", "puna.grammar"],
      [{ messages, puna: { grammar: {}, regex: "a" } }, CHAT, "vllm", "puna.regex"],
    ] as const) {
      const refused = (): unknown => remoteBody(body, path, at(server));
      expect(refused).toThrow(InvalidRequestError);
      expect(refused).toThrow(expect.objectContaining({ param }) as Error);
    }
  });

  it("is as it was where it is none, for the server to refuse", () => {
    for (const body of [null, undefined, "text", [1]]) expect(remoteBody(body, CHAT, at())).toBe(body);
  });
});
