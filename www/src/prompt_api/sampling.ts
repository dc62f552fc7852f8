// How much answers vary: the draft's modes, and the numbers behind them.

import type { SamplingExtensions, SamplingParams } from "../types/openai.js";
import type { LanguageModelParams, LanguageModelSamplingMode } from "./types.js";
import { enumeration, unrestrictedDouble } from "./webidl.js";

/** What tokens are chosen by. */
export interface Sampling {
  /** `null` where numbers were given in its place. */
  mode: LanguageModelSamplingMode | null;
  temperature: number;
  topK: number;
}

type Numbers = Pick<Sampling, "temperature" | "topK">;

/** From always the same to what a small model can still do. */
const MODES: Readonly<Record<LanguageModelSamplingMode, Numbers>> = {
  "most-predictable": { temperature: 0, topK: 1 },
  predictable: { temperature: 0.3, topK: 20 },
  "slightly-predictable": { temperature: 0.55, topK: 30 },
  balanced: { temperature: 0.8, topK: 40 },
  "slightly-creative": { temperature: 0.95, topK: 60 },
  creative: { temperature: 1.1, topK: 90 },
  "most-creative": { temperature: 1.3, topK: 128 },
};

const DEFAULT_MODE = "balanced";

/** Bounds, and what is taken where nothing is given. */
export const PARAMS: LanguageModelParams = Object.freeze({
  defaultTopK: MODES[DEFAULT_MODE].topK,
  maxTopK: 128,
  defaultTemperature: MODES[DEFAULT_MODE].temperature,
  maxTemperature: 2,
});

/** Reads what `create` was given; numbers over their bounds are as good as these. */
export function readSampling(options: Readonly<Record<string, unknown>>): Sampling {
  const { samplingMode, temperature, topK } = options;
  if (temperature === undefined && topK === undefined) {
    const mode =
      samplingMode === undefined ? DEFAULT_MODE : enumeration(samplingMode, modes(), "samplingMode");
    return { mode, ...MODES[mode] };
  }
  if (samplingMode !== undefined) {
    throw new TypeError("samplingMode: not together with temperature or topK; leave one of them");
  }
  return {
    mode: null,
    temperature: bounded(temperature, "temperature", 0, PARAMS.maxTemperature, PARAMS.defaultTemperature),
    topK: Math.trunc(bounded(topK, "topK", 1, PARAMS.maxTopK, PARAMS.defaultTopK)),
  };
}

/** The same in the words of the wire. A mode also drops what is least likely, as samplers of small models do. */
export function wireSampling({ mode, temperature, topK }: Sampling): SamplingParams & SamplingExtensions {
  const numbers = { temperature, top_k: topK };
  return mode === null || temperature === 0 ? numbers : { ...numbers, top_p: 0.95, min_p: 0.05 };
}

function bounded(value: unknown, name: string, least: number, most: number, otherwise: number): number {
  if (value === undefined) return otherwise;
  const number = unrestrictedDouble(value, name);
  // NaN is no number from `least` on, either.
  if (!(number >= least)) throw new RangeError(`${name}: expected ${least} or more, got ${number}`);
  return Math.min(number, most);
}

function modes(): LanguageModelSamplingMode[] {
  return Object.keys(MODES) as LanguageModelSamplingMode[];
}
