// The command line.
import { parseArgs } from "node:util";
import path from "node:path";
import { SIZES, USUAL_SIZES } from "./prompt.mjs";
import { choose, SUBJECTS } from "./subject.mjs";

export const HELP = `\
usage: cargo xtask bench [OPTION]...

Measures Puna beside its peers, without a GPU or on it: the same weights and prompts, in interleaved rounds, each subject in a
fresh profile of the browser. Needs Linux on x86-64, for CPU time and memory come from /proc.

  --subjects NAME[,NAME]     which ones; by default all in the browser:
${list((subject) => !subject.native && !subject.gpu)}
  --gpu                      on WebGPU instead:
${list((subject) => subject.gpu)}
  --adapter KIND             for WebGPU: software (default), SwiftShader in Chromium and lavapipe in Firefox; or native, the
                             machine's own
  --native                   those outside of the browser as well:
${list((subject) => subject.native)}
  --synthetic SHAPE:FORMAT   a model of a true shape with random weights, made on the spot, instead of SmolLM2: SHAPE and FORMAT
                             as \`puna synthesize\` takes them; transformers.js can't load it
  --rounds N                 how often each is measured (default 3)
  --tokens N                 how many tokens are generated (default 64)
  --prompts SIZE[,SIZE]      prompts of about so many tokens, of ${SIZES.join(", ")} (default
                             ${USUAL_SIZES.join(",")})
  --browser NAME             chromium (default) or firefox
  --wait SECONDS             before each subject wait so long at most for other work to take less than 15 % of the
                             machine (default 0)
  --out FILE                 write every figure as JSON

A subject whose answer is wrong is reported as failed and not timed, and ends the run of no other. What the figures
mean is in tests/bench/README.md.
`;

/** The file of a synthetic model: `cargo xtask bench` has made it. */
function fileOf(name) {
  if (!/^[a-z0-9.-]+:[a-z0-9_]+$/.test(name)) {
    throw new Error(`--synthetic ${name}: expected SHAPE:FORMAT, such as llama-3.2-1b:q4_0`);
  }
  return path.join(import.meta.dirname, "../../target/bench", `${name.replace(":", "-")}.gguf`);
}

function list(wanted) {
  return SUBJECTS.filter(wanted)
    .map((subject) => `${" ".repeat(29)}${subject.name}`)
    .join("\n");
}

const OPTIONS = {
  subjects: { type: "string" },
  native: { type: "boolean", default: false },
  gpu: { type: "boolean", default: false },
  adapter: { type: "string", default: "software" },
  rounds: { type: "string", default: "3" },
  tokens: { type: "string", default: "64" },
  prompts: { type: "string", default: USUAL_SIZES.join(",") },
  synthetic: { type: "string" },
  browser: { type: "string", default: "chromium" },
  wait: { type: "string", default: "0" },
  out: { type: "string" },
  // For `cargo xtask bench`: the browser's program, the native executor's, and a question.
  program: { type: "string" },
  "native-program": { type: "string" },
  needs: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

/** What `words` ask for; a wrong one is an error that says what is right. */
export function parse(words) {
  const { values } = parseArgs({ args: words, options: OPTIONS });
  const { native, gpu, adapter, browser, out, program, needs, help, synthetic } = values;
  if (!["chromium", "firefox"].includes(browser)) {
    throw new Error(`--browser ${browser}: there are chromium and firefox`);
  }
  if (!["software", "native"].includes(adapter)) {
    throw new Error(`--adapter ${adapter}: there are software and native`);
  }
  const sizes = values.prompts.split(",").map((text) => whole("prompts", text));
  const unknown = sizes.find((size) => !SIZES.includes(size));
  if (unknown !== undefined) throw new Error(`--prompts ${unknown}: there are prompts of ${SIZES.join(", ")} tokens`);
  return {
    subjects: choose(values.subjects?.split(",") ?? null, { native, gpu, gguf: synthetic ? fileOf(synthetic) : null }),
    synthetic: synthetic ?? null,
    adapter,
    rounds: whole("rounds", values.rounds),
    // One token has no next one to be timed.
    tokens: whole("tokens", values.tokens, 2),
    sizes: [...new Set(sizes)],
    browser,
    waitMs: whole("wait", values.wait, 0) * 1000,
    out,
    program,
    nativeProgram: values["native-program"],
    needs,
    help,
  };
}

function whole(name, text, least = 1) {
  if (/^\d{1,6}$/.test(text) && Number(text) >= least) return Number(text);
  throw new Error(`--${name} ${text}: expected a whole number of at least ${least}`);
}
