// What a session is wanted to be.

import { type Expected, readExpected } from "./expected.js";
import { type Sampling, readSampling } from "./sampling.js";
import { type Thinking, UNTHINKING, readThinking } from "./thinking.js";
import { type Tools, readTools } from "./tools.js";

/** Options of `availability`, which are also those of `create`. */
export interface Wanted {
  inputs: Expected;
  outputs: Expected;
  tools: Tools;
  sampling: Sampling;
  thinking: Thinking;
}

/** Reads them. */
export function readWanted(options: Readonly<Record<string, unknown>>): Wanted {
  const inputs = readExpected(options["expectedInputs"], "expectedInputs");
  const outputs = readExpected(options["expectedOutputs"], "expectedOutputs");
  return {
    inputs,
    outputs,
    tools: readTools(options, outputs),
    sampling: readSampling(options),
    thinking: readThinking(options["thinking"], UNTHINKING),
  };
}
