// The package as it is published: the files that npm would pack, and no other.
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { root } from "./context.mjs";

const www = path.join(root, "www");

/** Runs a program; what it says is in the error where it fails. */
export async function run(program, args, folder, env = {}) {
  try {
    // On Windows npm is a script, which only a shell runs.
    const options = { cwd: folder, env: { ...process.env, ...env }, shell: process.platform === "win32" && program === "npm" };
    return await promisify(execFile)(program, args, { ...options, maxBuffer: 1 << 24 });
  } catch (error) {
    throw new Error(`${path.basename(program)} ${args.join(" ")} in ${folder} failed:\n${error.stdout}${error.stderr}`, { cause: error });
  }
}

/** Copies the package into `folder`, in place of what is there. */
export async function ship(folder) {
  const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], www);
  const [{ files }] = JSON.parse(stdout);
  fs.rmSync(folder, { recursive: true, force: true });
  for (const { path: file } of files) {
    const to = path.join(folder, file);
    fs.mkdirSync(path.dirname(to), { recursive: true });
    fs.copyFileSync(path.join(www, file), to);
  }
}
