// Vite plugins that know where the engine is: the glue and the wasm that `cargo xtask wasm` writes.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Plugin } from "vite";

const GLUE = fileURLToPath(new URL("../pkg/puna_web.js", import.meta.url));
const WASM = fileURLToPath(new URL("../pkg/puna_web_bg.wasm", import.meta.url));
/** Folders of modules that stand on their own. */
const MODULES = ["pkg-cpu", "pkg-grammar"];
const folderOf = (name: string): string => fileURLToPath(new URL(`../${name}/`, import.meta.url));
const FOLDERS = new RegExp(`"\\.\\./\\.\\./(${MODULES.join("|")})/`, "g");
const META_URL = "__PUNA_IMPORT_META_URL__";

/** Resolves the import "puna-engine": to the glue, or to the module at `instead`. */
export function engine(instead?: string): Plugin {
  return {
    name: "puna-engine",
    enforce: "pre",
    resolveId(id) {
      if (id !== "puna-engine") return null;
      if (instead !== undefined) return instead;
      if (![GLUE, WASM, ...MODULES.map(folderOf)].every((path) => existsSync(path))) {
        return this.error("www/pkg/ and the folders beside it hold no engine: run `cargo xtask wasm` first");
      }
      return GLUE;
    },
  };
}

/**
 * Keeps the package's files plain files: the worker is `worker.js` beside `index.js`, the wasm a file beside
 * both. Left alone, a library build would put the wasm into the script as a data URL, which a
 * Content-Security-Policy refuses and no browser compiles while it downloads. So `import.meta.url` goes
 * through the build under another name. `base` is where they lie, seen from what is built.
 */
export function plainFiles(base: "./" | "../"): Plugin {
  return {
    name: "puna-plain-files",
    enforce: "pre",
    transform(code) {
      if (!code.includes("import.meta.url")) return null;
      return code
        .replaceAll("import.meta.url", META_URL)
        .replace('"./main.ts"', `"${base}worker.js"`)
        .replace('"./thread.ts"', `"${base}thread.js"`)
        .replaceAll(FOLDERS, `"${base}`);
    },
    renderChunk(code) {
      return code.replaceAll(META_URL, "import.meta.url");
    },
    generateBundle(_, bundle) {
      if ("worker.js" in bundle) {
        this.emitFile({ type: "asset", fileName: "puna_web_bg.wasm", source: readFileSync(WASM) });
        for (const folder of MODULES.map(folderOf)) {
          for (const file of readdirSync(folder)) {
            this.emitFile({ type: "asset", fileName: file, source: readFileSync(join(folder, file)) });
          }
        }
      }
    },
  };
}

/** Entries that import from the index find it beside them, so that nothing is there twice. */
export function besideIndex(mode: string): Plugin {
  const index = fileURLToPath(new URL("../src/index.ts", import.meta.url));
  return {
    name: "puna-beside-index",
    enforce: "pre",
    async resolveId(source, importer, options) {
      if (mode === "index" || importer === undefined || !source.endsWith("/index.js")) return null;
      const found = await this.resolve(source, importer, { ...options, skipSelf: true });
      return found?.id === index ? { id: "./index.js", external: true } : null;
    },
  };
}

/**
 * Workers are started by the expression that bundlers look for, with quotes where the minifier writes backticks: some look
 * for those alone.
 */
export function quotedWorkers(mode: string): Plugin {
  const started =
    /new Worker\(new URL\(`(\.\/[\w.]+)`,import\.meta\.url\),\{type:`module`,name:`([\w-]+)`\}\)/g;
  return {
    name: "puna-quoted-workers",
    generateBundle(_, bundle) {
      if (mode !== "index") return;
      const found: string[] = [];
      for (const file of Object.values(bundle)) {
        if (file.type !== "chunk") continue;
        file.code = file.code.replace(started, (_, script: string, name: string) => {
          found.push(script);
          return `new Worker(new URL("${script}",import.meta.url),{type:"module",name:"${name}"})`;
        });
      }
      if (found.join(" ") !== "./worker.js ./thread.js") {
        this.error(`the index starts ${JSON.stringify(found)}, expected ./worker.js and ./thread.js`);
      }
    },
  };
}
