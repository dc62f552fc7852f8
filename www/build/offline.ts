// Vite plugin: tells the page's service worker which files the page has.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import type { Plugin, ResolvedConfig } from "vite";

const WORKER = "sw.js";

/** Writes the list of the page's files, and a version made of their contents, into sw.js. */
export function offline(): Plugin {
  let config: ResolvedConfig;
  return {
    name: "puna-offline",
    apply: "build",
    enforce: "post",
    configResolved(resolved) {
      config = resolved;
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const worker = bundle[WORKER];
        if (worker?.type !== "chunk") return this.error(`the page's service worker ${WORKER} was not built`);
        const version = createHash("sha256");
        const files = [];
        for (const file of readdirSync(config.publicDir)) {
          files.push(file);
          version.update(readFileSync(join(config.publicDir, file)));
        }
        for (const [file, output] of Object.entries(bundle)) {
          version.update(output.type === "chunk" ? output.code : output.source);
          if (file !== WORKER) files.push(file === "index.html" ? "./" : file);
        }
        worker.code = worker.code
          .replaceAll("PUNA_PAGE_FILES", JSON.stringify(files.sort()))
          .replaceAll("PUNA_PAGE_VERSION", JSON.stringify(version.digest("hex").slice(0, 16)));
        return undefined;
      },
    },
  };
}
