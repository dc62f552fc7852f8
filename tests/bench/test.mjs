// The bench's parts that need no browser: a wrong median would be believed.
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { parse } from "./options.mjs";
import { cpuMs, isRendererOrGpu, Span, tree } from "./proc.mjs";
import { NativeSession } from "./process.mjs";
import { prompt, SIZES, USUAL_SIZES } from "./prompt.mjs";
import { columns, record, report, shown } from "./report.mjs";
import { best, ratio, summarize } from "./statistics.mjs";
import { choose, SUBJECTS } from "./subject.mjs";
import { failureOf, remarks, summarizeRounds } from "./summary.mjs";

test("a summary has the median and both ends, of any order and number", () => {
  assert.deepEqual(summarize([3, 1, 10]), { median: 3, least: 1, most: 10, count: 3 });
  assert.deepEqual(summarize([4, 1, 2, 100]), { median: 3, least: 1, most: 100, count: 4 });
  assert.deepEqual(summarize([2, NaN, Infinity]), { median: 2, least: 2, most: 2, count: 1 }, "what is no number does not count");
  assert.equal(summarize([NaN]), null);
});

test("the best and the ratio go by which way a figure counts", () => {
  const [low, high] = [summarize([2]), summarize([8])];
  assert.equal(best([low, null, high], true), high);
  assert.equal(best([low, null, high], false), low);
  assert.equal(best([null], true), null);
  assert.equal(ratio(low, high, true), 0.25, "a quarter of the speed");
  assert.equal(ratio(low, high, false), 4, "a quarter of the time");
  assert.equal(ratio(low, null, true), null);
});

test("the command line is read, and what is wrong in it is named", () => {
  const { subjects, rounds, tokens, sizes, browser } = parse([]);
  assert.deepEqual(subjects, SUBJECTS.filter((subject) => !subject.native && !subject.gpu));
  assert.deepEqual([rounds, tokens, sizes, browser], [3, 64, USUAL_SIZES, "chromium"]);
  const chosen = parse(["--subjects", "native-llama-1,puna-1", "--prompts=512,32", "--tokens", "8", "--rounds", "1"]);
  assert.deepEqual(chosen.subjects.map((subject) => subject.name), ["native-llama-1", "puna-1"]);
  assert.deepEqual([chosen.sizes, chosen.tokens, chosen.rounds], [[512, 32], 8, 1]);
  assert.deepEqual(parse(["--native"]).subjects, SUBJECTS.filter((subject) => !subject.gpu));
  assert.deepEqual(parse(["--gpu"]).subjects, SUBJECTS.filter((subject) => subject.gpu));
  for (const [words, said] of [
    [["--subjects", "nobody"], /nobody.*puna-1/],
    [["--gpu", "--adapter", "other"], /other.*native/],
    [["--rounds", "0"], /--rounds 0.*at least 1/],
    [["--tokens", "1"], /--tokens 1.*at least 2/],
    [["--synthetic", "../x"], /SHAPE:FORMAT/],
    [["--synthetic", "llama-3.2-1b:q4_0", "--subjects", "transformers-gpu"], /no such subject/],
    [["--prompts", "33"], /--prompts 33.*32, 128, 512/],
    [["--browser", "lynx"], /--browser lynx.*firefox/],
    [["--wait", "-1"], /--wait/],
    [["--wrong"], /--wrong/],
  ]) {
    assert.throws(() => parse(words), said, words.join(" "));
  }
});

test("a synthetic model takes the place of SmolLM2, for those who can load it", () => {
  const { subjects } = parse(["--gpu", "--synthetic", "llama-3.2-1b:q4_0"]);
  assert.deepEqual(subjects.map((subject) => subject.name), ["puna-gpu", "puna-gpu-json", "puna-gpu-late", "puna-gpu-unpoked", "wllama-gpu"]);
  for (const { gguf, weights, needs, options } of subjects) {
    assert.equal(path.basename(gguf), "llama-3.2-1b-q4_0.gguf");
    assert.equal(weights, "/models/llama-3.2-1b-q4_0.gguf");
    assert.ok(!needs.includes("gguf"), "SmolLM2 is not fetched");
    assert.deepEqual(options.endIds, [256]);
  }
  assert.equal(prompt(512, 3, true).length, 512, "a byte a token");
});

test("no two prompts of a run begin alike, and longer ones are longer", () => {
  const firsts = Array.from({ length: 12 }, (_, turn) => prompt(32, turn).split(" ", 1)[0]);
  assert.equal(new Set(firsts).size, 12);
  const lengths = SIZES.map((size) => prompt(size, 0).length);
  assert.deepEqual(lengths, lengths.toSorted((a, b) => a - b));
  for (const size of SIZES) {
    const perToken = prompt(size, 0).length / size;
    assert.ok(perToken > 3.5 && perToken < 5, `${perToken} characters a token of ${size}`);
  }
});

test("a browser's renderers and GPU process are told from the rest", () => {
  const told = (line) => isRendererOrGpu(line.split(" "));
  assert.ok(told("/usr/lib/chromium --type=renderer --lang=en"));
  assert.ok(told("/usr/lib/chromium --type=gpu-process "));
  assert.ok(!told("/usr/lib/chromium --type=utility "));
  assert.ok(!told("/usr/lib/chromium --headless "));
  assert.ok(told("firefox -contentproc -isForBrowser 3 tab "));
  assert.ok(!told("firefox -contentproc 4 socket "));
  assert.ok(!told("firefox tab "));
});

test("a process's work is counted as its own, with that of its children", async () => {
  assert.ok(tree(process.pid).includes(process.pid));
  const span = new Span(process.pid, 1);
  const start = cpuMs(process.pid);
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user - user < 200_000);
  assert.ok(cpuMs(process.pid) - start >= 180);
  assert.ok(span.end().cpuMs >= 180);
});

/** A native subject that answers at once, with what it was asked. */
const ECHO = `
  const say = (event, more) => console.log(JSON.stringify({ event, ...more }));
  console.log("a library's own words");
  say("ready", { ms: 5, facts: { threads: 1 } });
  require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const { prompt, tokens } = JSON.parse(line);
    if (tokens === 0) { console.error("out of tokens"); process.exit(3); }
    say("first");
    say("done", { answer: { text: prompt, tokens } });
  });`;

test("a native subject is spoken to by lines, and its end is an error with its last words", async () => {
  const session = new NativeSession();
  try {
    assert.deepEqual(await session.open([process.execPath, "-e", ECHO]), { ms: 5, facts: { threads: 1 } });
    let firsts = 0;
    assert.deepEqual(await session.ask("hello", 2, () => firsts++), { text: "hello", tokens: 2 });
    assert.equal(firsts, 1);
    await assert.rejects(session.ask("hello", 0, () => {}), /out of tokens/);
  } finally {
    await session.close();
  }
  const missing = new NativeSession();
  await assert.rejects(missing.open([path.join(import.meta.dirname, "no-such-program")]), /ENOENT/);
  await missing.close();
});

const answer = (size, promptTokens, firstMs, decodeMs) => ({
  size,
  promptTokens,
  tokens: 11,
  firstMs,
  decodeMs,
  prefillCpuMs: firstMs,
  decodeCpuMs: decodeMs,
  busy: 0.01,
});
const round = (subject, ix, more) => ({ subject, round: ix, loadMs: { cold: 2000, warm: 1000 }, memoryBytes: 3e8, ...more });

test("rounds become a row a subject, and ours is held against the best peer", () => {
  const options = { subjects: choose(["puna-1", "puna-1-json", "sum-1", "sum-all", "wllama-1", "wllama-all", "transformers-q8-1"], { native: false, gpu: false }), sizes: [32], tokens: 11, rounds: 2 };
  const rounds = [
    round("puna-1", 0, { answers: [answer(32, 30, 100, 200)] }),
    round("puna-1-json", 0, { answers: [answer(32, 30, 200, 250)] }),
    round("sum-1", 0, { answers: [answer(32, 0, 20, 125)] }),
    round("sum-all", 0, { answers: [answer(32, 0, 10, 62.5)] }),
    round("wllama-1", 0, { answers: [answer(32, 30, 400, 1000)] }),
    round("wllama-all", 0, { answers: [answer(32, 30, 200, 800)] }),
    { subject: "transformers-q8-1", round: 0, failure: "its answer is wrong\nat length" },
    round("puna-1", 1, { answers: [answer(32, 30, 300, 200)] }),
    round("wllama-1", 1, { answers: [answer(32, 30, 400, 1000)] }),
    round("wllama-all", 1, { answers: [{ ...answer(32, 30, 200, 800), busy: 0.5 }] }),
  ];
  const tables = summarizeRounds(rounds, options);
  assert.deepEqual(tables.map((table) => table.title), ["load and memory", "prompt of about 32 tokens"]);
  const [, table] = tables;
  assert.deepEqual(table.rows.map((row) => row.subject.name), ["puna-1", "puna-1-json", "sum-1", "sum-all", "wllama-1", "wllama-all"], "not the failed one");
  const at = (name) => table.figures.indexOf(name);
  assert.deepEqual(table.rows[0].cells[at("decode t/s")], { median: 50, least: 50, most: 50, count: 2 });
  assert.deepEqual(table.rows[0].cells[at("prefill t/s")], { median: 200, least: 100, most: 300, count: 2 });
  assert.equal(table.ratios.length, 2);
  assert.equal(table.ratios[0].ratios[at("decode t/s")], 4, "50 against 12.5");
  assert.equal(table.ratios[0].ratios[at("first token s")], 1, "0.2 s both");
  assert.deepEqual(table.rows[2].cells.map((cell) => cell?.median ?? null), [null, null, 80, null, null], "a bound of one figure");
  assert.deepEqual(table.shares.map((row) => row.ratios), [[null, null, 0.625, null, null], [null, null, 0.5, null, null]], "50 and 40 of 80");
  assert.deepEqual(table.besides.map((row) => row.ratios), [[null, null, 0.8, null, null]], "40 of 50");
  assert.equal(failureOf(rounds, "transformers-q8-1"), "its answer is wrong\nat length");

  const short = { ...options, tokens: 12 };
  assert.match(remarks(rounds, short).join("\n"), /2 of 2 answers had another length than 12 tokens: 11, 11/);
  assert.match(remarks(rounds, options).join("\n"), /up to 50 %/);
  const result = { machine: { cpu: "X", cores: 2, node: "v20" }, browsers: ["B/1"], options, rounds, tables };
  const text = report(result);
  for (const part of ["X, 2 cores; B/1", "× 4.00", "63 %", "share of Puna, 1 thread", "FAILED  transformers.js q8, 1 thread: its answer is wrong\n", "12.5 (12.5-12.5)"]) {
    assert.ok(text.includes(part), `${JSON.stringify(part)} in:\n${text}`);
  }
  const written = JSON.parse(JSON.stringify(record(result)));
  assert.equal(written.tables[1].subjects[0]["decode t/s"].median, 50);
  assert.equal(written.tables[1].timesBetterThanBestPeer[0]["decode t/s"], 4);
  assert.equal(written.tables[1].shareOfBound[0]["decode t/s"], 0.625);
  assert.equal(written.tables[1].shareOfTheSame[0]["decode t/s"], 0.8);
  assert.deepEqual(written.failed, [{ subject: "transformers-q8-1", why: "its answer is wrong\nat length" }]);
});

test("numbers have three digits that count, columns their widest word", () => {
  assert.deepEqual([1234.5, 99.96, 12.34, 0.01234, 0].map(shown), ["1235", "100", "12.3", "0.0123", "0"]);
  assert.equal(columns([["a", "bb"], ["ccc", "d"]]), "a    bb\nccc   d");
});
