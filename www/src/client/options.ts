// What `createClient` is given, checked.

import {
  absoluteUrl,
  InvalidRequestError,
  type LoadOptions,
  type Model,
  type ModelSource,
} from "../index.js";
import { POLICIES, type Policy } from "./policy.js";

/** A model that is to be loaded: what `load` takes. */
export interface LocalOptions {
  source: ModelSource;
  /** As of `load`, `onProgress` included. Its `signal` stops the load. */
  options?: LoadOptions;
}

/** The model on this device: to be loaded, on its way, or there. */
export type LocalSource = LocalOptions | Promise<Model> | Model;

/** A server that speaks OpenAI's API. */
export interface RemoteOptions {
  /** Where its API begins: `https://api.example.org/v1`. Relative to the page, if it is not absolute. */
  baseURL: string | URL;
  /** The model that is asked for there, whatever a request calls it. */
  model: string;
  /**
   * Sent as `Authorization: Bearer …`. Whoever opens the page can read what is written here: a function fetches one that is
   * meant for that, and is called for each request.
   */
  apiKey?: string | (() => string | Promise<string>);
  /** More headers, of each request. */
  headers?: Record<string, string>;
  /** In place of the platform's. */
  fetch?: typeof fetch;
  /**
   * What it is, for what is no part of OpenAI's API: `openai` gets nothing of it; `vllm` and `llama.cpp` get it by their names.
   * Where absent, `top_k`, `min_p` and `repetition_penalty` are sent as they are.
   */
  server?: "openai" | "vllm" | "llama.cpp";
}

/** What `createClient` takes. */
export interface ClientOptions {
  /** What answers here: a model that is loaded when it is first needed, or one that there is. */
  local?: LocalSource | null;
  /** What may answer elsewhere. Where absent, nothing ever leaves the page. */
  remote?: RemoteOptions | null;
  /** Where requests go; `local` where absent. */
  policy?: Policy;
  /**
   * What requests do that policies have answered here first, while the model is loading: `wait` for it, as where absent; or
   * `remote`: they can't be answered here.
   */
  whileLoading?: "wait" | "remote";
}

/** The same, with nothing left open. */
export interface ClientSetup {
  local: LocalSource | null;
  remote: (RemoteOptions & { baseURL: URL }) | null;
  policy: Policy;
  whileLoading: "wait" | "remote";
}

const REMOTE_NAMES = [
  "baseURL",
  "model",
  "apiKey",
  "headers",
  "fetch",
  "server",
] satisfies (keyof RemoteOptions)[];
const NAMES = ["local", "remote", "policy", "whileLoading"] satisfies (keyof ClientOptions)[];
const SERVERS = ["openai", "vllm", "llama.cpp"] as const;
const WHILE_LOADING = ["wait", "remote"] as const;

/** What is wrong with it is told where it is given, and not by the first request. */
export function setupOf(options: ClientOptions): ClientSetup {
  requireNames(options, NAMES, "");
  const local = localOf(options.local ?? null);
  const remote = remoteOf(options.remote ?? null);
  const policy = policyOf(options.policy ?? "local", "policy");
  const whileLoading = oneOf(options.whileLoading ?? "wait", WHILE_LOADING, "whileLoading");
  requireSide(policy, { hasLocal: local !== null, hasRemote: remote !== null });
  return { local, remote, policy, whileLoading };
}

/** A policy that there is. */
export function policyOf(policy: unknown, param: string): Policy {
  if (typeof policy === "function") return policy as Policy;
  return oneOf(policy, POLICIES, param, " or a function");
}

/** Refuses a policy that has nobody to ask. */
export function requireSide(
  policy: Policy,
  { hasLocal, hasRemote }: { hasLocal: boolean; hasRemote: boolean },
): void {
  if (policy === "remote" && !hasRemote)
    throw refusal("remote", `remote: expected a server, for the policy is "remote"`);
  if (policy === "local" && !hasLocal)
    throw refusal("local", `local: expected a model, for the policy is "local"`);
  if (!hasLocal && !hasRemote) throw refusal("local", "local, remote: expected one of them at least");
}

function localOf(local: unknown): LocalSource | null {
  if (local === null) return null;
  if (typeof local === "object") {
    if ("source" in local) {
      requireNames(local, ["source", "options"], "local.");
      return local as LocalOptions;
    }
    if ("then" in local || ("chat" in local && "ended" in local)) return local as Model | Promise<Model>;
  }
  throw refusal(
    "local",
    `local: expected { source, options }, a model or a promise of one, got ${shown(local)}`,
  );
}

function remoteOf(remote: RemoteOptions | null): ClientSetup["remote"] {
  if (remote === null) return null;
  requireNames(remote, REMOTE_NAMES, "remote.");
  const { model, apiKey, headers, fetch, server } = remote as Partial<Record<keyof RemoteOptions, unknown>>;
  if (typeof model !== "string" || model === "") {
    throw refusal(
      "remote.model",
      `remote.model: expected the model's name on the server, got ${shown(model)}`,
    );
  }
  if (!isAbsent(apiKey) && typeof apiKey !== "string" && typeof apiKey !== "function") {
    throw refusal("remote.apiKey", `remote.apiKey: expected a string or a function, got ${shown(apiKey)}`);
  }
  if (!isAbsent(fetch) && typeof fetch !== "function") {
    throw refusal("remote.fetch", `remote.fetch: expected a function, got ${shown(fetch)}`);
  }
  if (!isAbsent(server)) oneOf(server, SERVERS, "remote.server");
  return { ...remote, baseURL: baseOf(remote.baseURL), headers: headersOf(headers ?? {}) };
}

function baseOf(given: unknown): URL {
  const param = "remote.baseURL";
  const url = new URL(absoluteUrl(given as string | URL, param));
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw refusal(param, `${param}: expected http: or https:, got ${url.protocol}`);
  }
  return url;
}

function headersOf(given: unknown): Record<string, string> {
  const param = "remote.headers";
  if (typeof given !== "object") throw refusal(param, `${param}: expected an object, got ${shown(given)}`);
  try {
    return Object.fromEntries(new Headers(given as Record<string, string>));
  } catch (cause) {
    throw refusal(param, `${param}: expected names and values of headers`, cause);
  }
}

function requireNames(options: unknown, names: readonly string[], prefix: string): void {
  if (typeof options !== "object" || options === null) {
    const param = prefix === "" ? "options" : prefix.slice(0, -1);
    throw refusal(param, `${param}: expected an object, got ${shown(options)}`);
  }
  const other = Object.keys(options).find((name) => !names.includes(name));
  if (other === undefined) return;
  throw refusal(prefix + other, `there is no option ${prefix}${other}; there are ${names.join(", ")}`);
}

function oneOf<T extends string>(value: unknown, values: readonly T[], param: string, more = ""): T {
  if ((values as readonly unknown[]).includes(value)) return value as T;
  const expected = values.map((value) => JSON.stringify(value)).join(", ");
  throw refusal(param, `${param}: expected one of ${expected}${more}, got ${shown(value)}`);
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function shown(value: unknown): string {
  if (typeof value === "string") return value.length <= 40 ? JSON.stringify(value) : "a longer string";
  return value === null ? "null" : `a value of type ${typeof value}`;
}

function refusal(param: string, message: string, cause?: unknown): InvalidRequestError {
  return new InvalidRequestError(message, { details: { param }, ...(cause === undefined ? {} : { cause }) });
}
