// One subject in one round: its answer is checked, then its answers to prompts of each length are timed.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StaticServer } from "../server/server.mjs";
import { files } from "./files.mjs";
import { Span } from "./proc.mjs";
import { NativeSession } from "./process.mjs";
import { CHECK, prompt } from "./prompt.mjs";
import { PageSession } from "./visit.mjs";

/** A subject that takes longer for its round is given up. */
const ROUND_MS = 20 * 60 * 1000;

/** What comes before the timed answers, so that code is compiled and memory is there. */
const WARM_UP = { size: 128, tokens: 8 };

/** Measures `subject`; always resolves, with `failure` where something went wrong. */
export async function runRound(subject, round, options) {
  const sessions = [];
  const limit = new AbortController();
  const late = sleep(ROUND_MS, null, { signal: limit.signal }).then(() => {
    throw new Error(`took longer than ${ROUND_MS / 60_000} minutes`);
  });
  late.catch(() => {});
  const keep = (session) => {
    sessions.push(session);
    return session;
  };
  const work = subject.native ? runNative(subject, round, options, keep) : runInBrowser(subject, round, options, keep);
  try {
    return { subject: subject.name, round, ...(await Promise.race([work, late])) };
  } catch (error) {
    return { subject: subject.name, round, failure: error.message };
  } finally {
    limit.abort();
    for (const session of sessions) await session.close();
    // What was given up fails as its browser ends.
    await work.catch(() => {});
  }
}

async function runNative(subject, round, options, keep) {
  const session = keep(new NativeSession());
  const { ms, facts } = await session.open(command(subject, options));
  return { loadMs: { cold: ms, warm: null }, facts, ...(await measure(session, subject, round, options)) };
}

function command({ module, gguf, options: { threads, endIds } }, { nativeProgram }) {
  const words = [gguf ?? files.gguf, String(threads ?? os.cpus().length), endIds.join(",")];
  return module ? [process.execPath, path.join(import.meta.dirname, module), ...words] : [nativeProgram, ...words];
}

async function runInBrowser(subject, round, { browser, program, adapter, ...options }, keep) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "puna-bench-"));
  // Cached as a host of packages would have it, so that a second visit is one.
  const cacheControl = "public, max-age=31536000, immutable";
  const site = new StaticServer(
    {
      "/bench": import.meta.dirname,
      "/package": files.package,
      "/late": path.join(import.meta.dirname, "../browser"),
      "/cpu-test": files.cpuTest,
      "/modules": path.join(import.meta.dirname, "node_modules"),
      "/models": path.dirname(subject.gguf ?? files.gguf),
      "/onnx": files.onnx,
    },
    { cacheControl },
  );
  try {
    await site.start();
    const first = keep(new PageSession());
    const cold = await first.open(subject, { browser, program, adapter, profile, site });
    const measured = await measure(first, subject, round, options);
    await first.close();
    const second = keep(new PageSession());
    const warm = await second.open(subject, { browser, program, adapter, profile, site });
    await second.close();
    return { browser: first.version, loadMs: { cold: cold.ms, warm: warm.ms }, facts: cold.facts, ...measured };
  } finally {
    await site.stop();
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

/** The check, the warm-up and the timed answers. */
async function measure(session, { bound = false, gguf }, round, { sizes, tokens }) {
  const bytes = gguf !== undefined;
  const checked = await session.ask(CHECK.prompt, CHECK.tokens, () => {});
  if (bytes) {
    // Random weights know nothing; but an answer is the same twice.
    await session.ask(prompt(WARM_UP.size, 11, bytes), CHECK.tokens, () => {});
    const again = await session.ask(CHECK.prompt, CHECK.tokens, () => {});
    if (again.text !== checked.text || again.text === "") {
      throw new Error(`its answers differ: ${JSON.stringify(checked.text)}, then ${JSON.stringify(again.text)}`);
    }
  }
  if (!bound && !bytes && !checked.text.includes(CHECK.expected)) {
    throw new Error(
      `its answer is wrong: after ${JSON.stringify(CHECK.prompt)} came ${JSON.stringify(checked.text)}, which has no ${JSON.stringify(CHECK.expected)}`,
    );
  }
  // The same prompts for every subject of a round, and another beginning each time.
  let turn = round * (sizes.length + 1);
  await session.ask(prompt(WARM_UP.size, turn, bytes), WARM_UP.tokens, () => {});
  const answers = [];
  for (const size of sizes) {
    turn += 1;
    answers.push({ size, ...(await timed(session, prompt(size, turn, bytes), tokens)) });
  }
  return { checked: checked.text, answers, memoryBytes: session.memoryGrowth() };
}

async function timed(session, prompt, tokens) {
  const span = new Span(session.pid, os.cpus().length);
  // Unknown where nobody told in time that the first token is there.
  let prefillCpuMs = NaN;
  const answer = await session.ask(prompt, tokens, () => {
    prefillCpuMs = span.cpuMs();
  });
  const { cpuMs, busy } = span.end();
  return { ...answer, prefillCpuMs, decodeCpuMs: cpuMs - prefillCpuMs, busy };
}
