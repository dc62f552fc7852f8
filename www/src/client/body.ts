// A request as a server gets it: with the server's name of the model, and without what only Puna knows.

import { InvalidRequestError } from "../index.js";
import type { RemoteOptions } from "./options.js";

type Body = Record<string, unknown>;

/** Fields that OpenAI does not have, and many servers do. */
const SAMPLING: readonly string[] = ["top_k", "min_p", "repetition_penalty"];

/** Requests in which servers that hold an answer to something look for what that is; elsewhere they pass over it. */
const WHERE: readonly string[] = ["/chat/completions", "/completions"];

/** The same for a server: a request in an object, or anything else as it is, for the server to refuse. */
export function remoteBody(body: unknown, path: string, { model, server }: RemoteOptions): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  const { puna, ...given } = body as Body;
  const own = extensionsOf(puna ?? null);
  const all = { ...given, ...sampling(own) };
  // On Anthropic's wire one of them is Anthropic's own.
  const named = path.startsWith("/messages") ? all : namedFor(all, server);
  return { ...named, ...constraint(own, path, server), model };
}

function sampling(own: Body): Body {
  return Object.fromEntries(SAMPLING.filter((name) => !isAbsent(own[name])).map((name) => [name, own[name]]));
}

/** The same with what OpenAI does not have as the server calls it, or without. */
function namedFor(body: Body, server: RemoteOptions["server"]): Body {
  const entries = Object.entries(body);
  if (server === "openai") return Object.fromEntries(entries.filter(([name]) => !SAMPLING.includes(name)));
  if (server !== "llama.cpp") return body;
  return Object.fromEntries(
    entries.map(([name, value]) => [name === "repetition_penalty" ? "repeat_penalty" : name, value]),
  );
}

/** What an answer is held to, by the server's names for it. An answer that is not would be another than was asked for. */
function constraint({ grammar, regex }: Body, path: string, server: RemoteOptions["server"]): Body {
  if (isAbsent(grammar) && isAbsent(regex)) return {};
  const param = isAbsent(regex) ? "puna.grammar" : "puna.regex";
  const given = grammar as { syntax?: unknown; definition?: unknown } | null | undefined;
  const { syntax, definition } = isAbsent(regex) ? (given ?? {}) : { syntax: "regex", definition: regex };
  const hint = WHERE.includes(path) ? null : `it has a place in ${WHERE.join(" and ")} alone`;
  if (hint === null && server === "vllm") {
    return { structured_outputs: { [syntax === "regex" ? "regex" : "grammar"]: definition } };
  }
  if (hint === null && server === "llama.cpp" && syntax === "gbnf") return { grammar: definition };
  throw refusal(param, `${param}: can't be asked of the server: ${hint ?? hintFor(server)}`);
}

function hintFor(server: RemoteOptions["server"]): string {
  if (server === "llama.cpp") return "llama.cpp's server takes grammars in gbnf alone";
  return 'OpenAI\'s API has nothing like it; if the server is vLLM or llama.cpp\'s, say so: remote.server: "vllm" or "llama.cpp"';
}

function extensionsOf(puna: unknown): Body {
  if (puna === null) return {};
  if (typeof puna !== "object" || Array.isArray(puna)) {
    throw refusal("puna", `puna: expected an object, got ${Array.isArray(puna) ? "an array" : typeof puna}`);
  }
  const known = [...SAMPLING, "grammar", "regex", "adapters", "cache"];
  const other = Object.keys(puna).find((name) => !known.includes(name));
  if (other !== undefined) {
    throw refusal(`puna.${other}`, `there is no field puna.${other}; there are ${known.join(", ")}`);
  }
  const { grammar, regex, adapters } = puna as Body;
  if (Object.values(adapters ?? {}).some((scale) => scale !== 0)) {
    const message =
      "puna.adapters: the server has none of this page's adapters, and would answer without; leave them out";
    throw refusal("puna.adapters", message);
  }
  if (!isAbsent(grammar) && typeof grammar !== "object") {
    throw refusal("puna.grammar", `puna.grammar: expected { syntax, definition }, got ${typeof grammar}`);
  }
  if (!isAbsent(grammar) && !isAbsent(regex)) {
    throw refusal("puna.regex", "puna.regex: an answer is held to a grammar or to a regex, not to both");
  }
  return puna as Body;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function refusal(param: string, message: string): InvalidRequestError {
  return new InvalidRequestError(message, { details: { param } });
}
