// Measures Puna beside its peers, without a GPU or on it. `cargo xtask bench` makes what it needs and calls it; its options are in
// options.mjs.
import fs from "node:fs";
import path from "node:path";
import { missing, versionOf } from "./files.mjs";
import { machine } from "./machine.mjs";
import { HELP, parse } from "./options.mjs";
import { waitForQuiet } from "./proc.mjs";
import { record, report } from "./report.mjs";
import { BUSY, summarizeRounds } from "./summary.mjs";

const PEERS = ["@wllama/wllama", "@huggingface/transformers", "onnxruntime-web", "node-llama-cpp"];

let options;
try {
  options = parse(process.argv.slice(2));
} catch (error) {
  console.error(`error: ${error.message}\n(\`cargo xtask bench --help\` lists the options)`);
  process.exit(2);
}
if (options.help) {
  process.stdout.write(HELP);
} else if (options.needs) {
  const pages = options.subjects.some((subject) => !subject.native);
  const lavapipe = options.browser === "firefox" && options.adapter === "software" && options.subjects.some((subject) => subject.gpu);
  const needs = [...options.subjects.flatMap((subject) => subject.needs), ...(pages ? [options.browser] : []), ...(lavapipe ? ["lavapipe"] : [])];
  console.log([...new Set(needs)].join("\n"));
} else {
  await run();
}

async function run() {
  const { runRound } = await import("./round.mjs");
  // A folder that can't be made should be told before the work.
  if (options.out) fs.mkdirSync(path.dirname(path.resolve(options.out)), { recursive: true });
  const rounds = [];
  for (let round = 0; round < options.rounds; round++) {
    for (const subject of options.subjects) {
      if (rounds.some((done) => done.subject === subject.name && done.failure)) continue;
      const lack = missing(subject);
      if (!lack) await waitForQuiet(BUSY, options.waitMs, machine().cores);
      const start = performance.now();
      const done = lack ? { subject: subject.name, round, failure: lack } : await runRound(subject, round, options);
      const seconds = Math.round((performance.now() - start) / 1000);
      console.log(`round ${round + 1}/${options.rounds}  ${subject.title}: ${done.failure ? `FAILED: ${done.failure.split("\n", 1)[0]}` : `${seconds} s`}`);
      rounds.push(done);
      // Each time, so that a run that is ended early was not in vain.
      if (options.out) fs.writeFileSync(options.out, `${JSON.stringify(record(resultOf(rounds)), null, 1)}\n`);
    }
  }
  console.log(`\n${report(resultOf(rounds))}`);
  if (options.out) console.log(`\nevery figure is in ${options.out}`);
  if (rounds.every((round) => round.failure)) process.exitCode = 1;
}

/** What is known after these rounds. */
function resultOf(rounds) {
  return {
    when: new Date().toISOString(),
    machine: machine(),
    browsers: [...new Set(rounds.flatMap((round) => round.browser ?? []))],
    versions: Object.fromEntries(PEERS.map((name) => [name, versionOf(name)])),
    options,
    rounds,
    tables: summarizeRounds(rounds, options),
  };
}
