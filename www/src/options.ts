// What `load` or `inspect` was given, checked and put into the engine's names. It is checked here, where the caller's spelling
// of a name is known: the engine would name its own.

import { wireAdapters } from "./adapters.js";
import { absoluteUrl } from "./address.js";
import { refusal, shown, unexpected } from "./refusal.js";
import type { ModelRequest, WireLoadOptions } from "./types/messages.js";
import type { AdvancedOptions, LoadOptions, ModelSource } from "./types/model.js";

/** An option: its name in the engine, and the values it may have, in words and as a check. */
interface Rule {
  wire: keyof WireLoadOptions;
  expected: string;
  holds: (value: unknown) => boolean;
}

type Rules = Readonly<Record<string, Rule>>;

/** More than any model is made for, and far from where the engine's sizes would overflow. */
const MAX_CONTEXT_LENGTH = 2 ** 24;

/** As many conversations of the whole context as there may be room for. */
const MAX_PARALLEL = 4;

/** More than any page waits for. */
const MAX_QUEUE = 2 ** 16;

/** More than any machine that was seen has a use for. */
const MAX_THREADS = 16;

const RULES = {
  contextLength: wholeNumber("context_length", 1, MAX_CONTEXT_LENGTH),
  chatTemplate: {
    wire: "chat_template",
    expected: "a string",
    holds: (value) => typeof value === "string",
  },
  device: oneOf<LoadOptions["device"]>("device", ["auto", "webgpu", "cpu"]),
  cache: oneOf<LoadOptions["cache"]>("cache", ["opfs", "none"]),
  revalidate: flag("revalidate"),
  kvCache: oneOf<LoadOptions["kvCache"]>("kv_cache", ["f16", "f32", "q8"]),
  quantize: oneOf<LoadOptions["quantize"]>("quantize", ["q8_0", "q4_0"]),
  parallel: wholeNumber("parallel", 1, MAX_PARALLEL),
  queueLimit: wholeNumber("queue_limit", 0, MAX_QUEUE),
} satisfies Partial<Record<keyof LoadOptions, Rule>>;

const ADVANCED_RULES = {
  variant: oneOf<AdvancedOptions["variant"]>("variant", ["auto", "subgroup", "shared", "serial"]),
  precision: oneOf<AdvancedOptions["precision"]>("precision", ["auto", "f32", "f16"]),
  poke: oneOf<AdvancedOptions["poke"]>("poke", ["auto", "on", "off"]),
  tune: flag("tune"),
  threads: wholeNumber("threads", 1, MAX_THREADS),
  simd: oneOf<AdvancedOptions["simd"]>("simd", ["simd128", "relaxed"]),
  memoryBytes: wholeNumber("memory_bytes", 2 ** 24, 2 ** 32),
} satisfies Record<keyof AdvancedOptions, Rule>;

const OWN_NAMES: readonly string[] = [
  "onProgress",
  "onWarning",
  "signal",
  "advanced",
  "adapters",
] satisfies (keyof LoadOptions)[];

/** The request that the worker is sent by either. */
export function modelRequest(source: ModelSource, options: LoadOptions): ModelRequest {
  requireObject(options, "options");
  const advanced = (options.advanced as AdvancedOptions | undefined | null) ?? {};
  requireObject(advanced, "advanced");
  const adapters = wireAdapters(options.adapters ?? [], wireSource);
  return {
    source: wireSource(source, "source"),
    adapters: adapters.sources,
    options: {
      ...checked(options, RULES, OWN_NAMES, ""),
      ...checked(advanced, ADVANCED_RULES, [], "advanced."),
      ...(adapters.options.length > 0 && { adapters: adapters.options }),
    },
  };
}

function wireSource(source: ModelSource, param: string): ModelRequest["source"] {
  if (source instanceof Blob) return source;
  const given: unknown = source;
  if (given instanceof URL || !isIterable(given)) return absoluteUrl(given as string | URL, param);
  const files = [...given];
  if (files.length > 0 && files.every((file) => file instanceof File)) return files;
  const other = files.find((file) => !(file instanceof File));
  throw unexpected(param, "files", files.length === 0 ? "none" : shown(other));
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

/** The options under the engine's names. `null` and `undefined` are as good as absent. */
function checked(options: object, rules: Rules, others: readonly string[], prefix: string): WireLoadOptions {
  const wire: Partial<Record<keyof WireLoadOptions, unknown>> = {};
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (others.includes(name)) continue;
    const param = prefix + name;
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) {
      const known = [...Object.keys(rules), ...others].join(", ");
      throw refusal(param, `there is no option ${param}; there are ${known}`);
    }
    if (value === undefined || value === null) continue;
    if (!rule.holds(value)) throw unexpected(param, rule.expected, shown(value));
    wire[rule.wire] = value;
  }
  return wire as WireLoadOptions;
}

/** `Value` names the type of the option, so that no other value can be listed. */
function oneOf<Value extends string | undefined>(
  wire: keyof WireLoadOptions,
  values: readonly NonNullable<Value>[],
): Rule {
  return {
    wire,
    expected: values.map((value) => JSON.stringify(value)).join(" or "),
    holds: (value) => (values as readonly unknown[]).includes(value),
  };
}

function flag(wire: keyof WireLoadOptions): Rule {
  return {
    wire,
    expected: "true or false",
    holds: (value) => typeof value === "boolean",
  };
}

function wholeNumber(wire: keyof WireLoadOptions, least: number, most: number): Rule {
  return {
    wire,
    expected: `a whole number from ${least} to ${most}`,
    holds: (value) => typeof value === "number" && Number.isInteger(value) && value >= least && value <= most,
  };
}

function requireObject(value: unknown, param: string): void {
  if (typeof value === "object" && value !== null) return;
  throw unexpected(param, "an object", shown(value));
}
