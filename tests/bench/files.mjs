// Where the weights and the programs are, and what makes them.
import fs from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");
const at = (...parts) => path.join(root, ...parts);

export const files = {
  gguf: at("models/SmolLM2-135M-Instruct.Q4_1.gguf"),
  onnx: at("target/bench/onnx"),
  package: at("www/dist"),
  cpuTest: at("www/pkg-cpu-test"),
};

/** A file of each thing that a subject may need, and what makes it. */
const MADE = {
  gguf: [files.gguf, "cargo xtask model"],
  onnx: [path.join(files.onnx, "onnx/model_quantized.onnx"), "cargo xtask bench; it says above why it could not"],
  sum: [path.join(files.cpuTest, "puna_cpu_relaxed.wasm"), "cargo xtask wasm"],
  package: [path.join(files.package, "index.js"), "cargo xtask demo --no-open, or npm run build in www/"],
};

/** What a subject needs and is not there, in words; `null` where nothing is missing. */
export function missing(subject) {
  for (const need of subject.needs) {
    const [file, make] = MADE[need] ?? [];
    if (file && !fs.existsSync(file)) return `${path.relative(root, file)} is missing (${make} makes it)`;
  }
  return null;
}

/** The version of a package of the bench. */
export function versionOf(name) {
  return JSON.parse(fs.readFileSync(path.join(import.meta.dirname, "node_modules", name, "package.json"), "utf8")).version;
}
