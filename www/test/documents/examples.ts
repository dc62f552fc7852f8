// The examples of the documents: code of the READMEs, and of the comments of what the package exports.

import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";

/** A piece of code, and where it stands. */
export interface Example {
  where: string;
  code: string;
}

const WWW = path.resolve(import.meta.dirname, "../..");

/** What a package's page runs; pages in other languages, and what runs elsewhere, are in the browser's tests. */
const BLOCK = /^```ts\n([\s\S]*?)^```$/gm;
const COMMENT = /\/\*\*[\s\S]*?\*\//g;

/** Those of both READMEs, and of all comments in `src`. */
export function examples(): Example[] {
  return [...inReadme("../README.md"), ...inReadme("README.md"), ...inSources("src")];
}

function inReadme(file: string): Example[] {
  const text = readFileSync(path.join(WWW, file), "utf8");
  return [...text.matchAll(BLOCK)].map((match) => ({
    where: `${file.replace("../", "")}:${lineOf(text, match.index)}`,
    code: match[1] ?? "",
  }));
}

function inSources(folder: string): Example[] {
  const files = readdirSync(path.join(WWW, folder), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".ts"))
    .toSorted()
    .flatMap((file) => inComments(path.join(folder, file)));
}

function inComments(file: string): Example[] {
  const text = readFileSync(path.join(WWW, file), "utf8");
  return [...text.matchAll(COMMENT)].flatMap((match) => {
    const lines = match[0].split("\n").map((line) => line.replace(/^\s*\*( |\/?$)/, ""));
    const first = lines.findIndex((line) => line.startsWith("@example"));
    if (first === -1) return [];
    const code = lines.slice(first + 1).join("\n");
    return [{ where: `${file}:${lineOf(text, match.index) + first}`, code }];
  });
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}
