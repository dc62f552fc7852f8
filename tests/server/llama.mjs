// Another program's OpenAI-compatible server, over llama.cpp, for full runs: built from source once, by one job that gives way to
// everything else, into a folder that is not kept.
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const root = path.resolve(import.meta.dirname, "../..");
const folder = path.join(root, "target/llama-server");
const python = path.join(folder, "bin/python");
const VERSION = "0.3.36";
const BUILD = {
  CMAKE_BUILD_PARALLEL_LEVEL: "1",
  // Nothing of what sees or hears, and no compiler's own threads.
  CMAKE_ARGS: "-DLLAVA_BUILD=OFF -DGGML_OPENMP=OFF",
};

/** Runs a program to its end; what it said last is in the error. */
async function run(program, args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said = (said + text).slice(-2000)));
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ended with ${code}: ${said}`);
}

/** Builds it, unless it is there. */
async function build() {
  const done = path.join(folder, `built-${VERSION}`);
  if (fs.existsSync(done)) return;
  fs.rmSync(folder, { recursive: true, force: true });
  await run("python3", ["-m", "venv", folder]);
  const what = `llama-cpp-python[server]==${VERSION}`;
  await run("nice", ["-n", "19", python, "-m", "pip", "install", "--quiet", "--no-binary", "llama-cpp-python", what], BUILD);
  fs.writeFileSync(done, "");
}

async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts it on loopback with a model's file, known as `alias`; `stop` ends it. */
export async function startLlama({ model, alias, contextLength }) {
  await build();
  const port = await freePort();
  const settings = { host: "127.0.0.1", port, model, model_alias: alias, n_ctx: contextLength, n_threads: 1, n_batch: 64, verbose: false };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(python, ["-m", "llama_cpp.server", ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (text) => (said = (said + text).slice(-2000)));
  // Also after a test that took too long.
  process.once("exit", () => child.kill());
  const ended = new Promise((resolve) => child.once("close", resolve));
  const baseURL = `http://127.0.0.1:${port}/v1`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`llama_cpp.server ended with ${child.exitCode}: ${said}`);
    const answer = await fetch(`${baseURL}/models`).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.ok) break;
    await sleep(100);
  }
  const stop = async () => {
    child.kill();
    await ended;
  };
  return { baseURL, stop };
}
