// Every example of the documents, compiled as a user's project would, and run with a fake worker behind it.
import { readFileSync } from "node:fs";
import path from "node:path";

import ts from "typescript";
import { afterEach, describe, expect, it, vi } from "vitest";

import * as client from "../src/client.js";
import * as puna from "../src/index.js";
import * as promptApi from "../src/prompt_api/index.js";
import * as swPage from "../src/sw-page.js";
import * as sw from "../src/sw.js";
import * as openai from "openai";
import { makeContext } from "./documents/context.js";
import { type Example, examples } from "./documents/examples.js";
import { FakeWorker } from "./fake/worker.js";

vi.mock("../src/worker/start.js", () => ({ startWorker: () => new FakeWorker(), startThread: vi.fn() }));

/** What only a service worker and its page can run: tests/browser/test/service_worker.mjs does. */
const ELSEWHERE = /"puna\/sw(-page)?"/;

/** What examples may import. */
const MODULES: Readonly<Record<string, object>> = {
  puna,
  "puna/client": client,
  "puna/prompt-api": promptApi,
  openai: { ...openai, default: openai.default },
};

const FILES: Readonly<Record<string, string>> = {
  puna: "src/index.ts",
  "puna/client": "src/client.ts",
  "puna/prompt-api": "src/prompt_api/index.ts",
  "puna/sw": "src/sw.ts",
  "puna/sw-page": "src/sw-page.ts",
};

/** What the index has for other entries alone. */
const INTERNAL = /\/\*\* @internal \*\/\nexport \{([^}]*)\}/g;
const INDEX = readFileSync(new URL("../src/index.ts", import.meta.url), "utf8");

const WWW = path.resolve(import.meta.dirname, "..");
const ALL = examples();
const CONTEXT = await makeContext();
const NAMES = Object.keys(CONTEXT);

/** Names of the context that the code uses and does not make itself. */
function taken(code: string): string[] {
  const own = new Set(
    [
      ...code.matchAll(
        /(?:const|let|function|import)\s+(\w+)|[{,]\s*(?:\w+:\s*)?(\w+)(?=[^;{}]*\}\s*(?:=|from))/g,
      ),
    ].map(([, name, bound]) => name ?? bound),
  );
  return NAMES.filter((name) => new RegExp(`\\b${name}\\b`).test(code) && !own.has(name));
}

describe("examples", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it("are there for each function and class that is exported", () => {
    const documented = ALL.map(({ code }) => code).join("\n");
    const exported = [puna, client, promptApi, sw, swPage].flatMap((module) => Object.keys(module));
    const internal = [...INDEX.matchAll(INTERNAL)].flatMap(([, names = ""]) => names.match(/\w+/g) ?? []);
    const callable = exported.filter((name) => /^[a-z]/.test(name) && !internal.includes(name));
    expect(callable).toEqual(
      expect.arrayContaining(["load", "inspect", "createClient", "languageModel", "serve"]),
    );
    for (const name of callable) expect(documented, name).toMatch(new RegExp(`\\b${name}\\(`));
  });

  it("have the types that they should", { timeout: 60_000 }, () => {
    const files = new Map(
      ALL.map((example, ix) => [path.join(WWW, `test/documents/example-${ix}.ts`), example]),
    );
    const sources = new Map([...files].map(([file, { code }]) => [file, typed(code)]));
    const complaints = compile(sources).map(
      ({ file, message }) => `${files.get(file)?.where ?? file}: ${message}`,
    );
    expect(complaints).toEqual([]);
  });

  it.for(ALL.filter(({ code }) => !ELSEWHERE.test(code)))("run: $where", async ({ code }: Example) => {
    vi.stubGlobal("fetch", () => Promise.reject(new Error("an example asked the network")));
    vi.spyOn(console, "log").mockReturnValue();
    vi.stubGlobal("LanguageModel", undefined);
    const context = await makeContext();
    const names = taken(code);
    const imported = code.replace(
      /^import (\w+|\{[^}]*\}) from "([^"]+)";$/gm,
      (_, what: string, from: string) =>
        `const ${what.startsWith("{") ? what : `{ default: ${what} }`} = modules[${JSON.stringify(from)}];`,
    );
    const plain = ts.transpileModule(imported, { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
    await asyncFunction(["modules", ...names], plain.outputText)(
      MODULES,
      ...names.map((name) => context[name as keyof typeof context]),
    );
  });
});

/** A function of these parameters, which may wait. */
function asyncFunction(names: string[], body: string): (...given: unknown[]) => Promise<void> {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- to run text is the point
  return new Function(...names, `return (async () => {\n${body}\n})();`) as () => Promise<void>;
}

/** What a browser's own types, or a page's, say of it. */
const BROWSERS_OWN = `declare global { var LanguageModel: ReturnType<Context["languageModel"]>; }`;

/** An example as a module, what it takes for granted declared in front. */
function typed(code: string): string {
  const declared = taken(code).map((name) => `declare const ${name}: Context[${JSON.stringify(name)}];`);
  if (code.includes("LanguageModel")) declared.push(BROWSERS_OWN);
  const front = ['import type { Context } from "./context.js";', ...declared, ""];
  return `${front.join("\n")}${code}\nexport {};\n`;
}

/** What the compiler says of files that are only here. */
function compile(sources: ReadonlyMap<string, string>): { file: string; message: string }[] {
  const config = ts.readConfigFile(path.join(WWW, "tsconfig.json"), ts.sys.readFile.bind(ts.sys));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, WWW);
  Object.assign(options, {
    noUnusedLocals: false,
    paths: Object.fromEntries(Object.entries(FILES).map(([name, file]) => [name, [path.join(WWW, file)]])),
  });
  const host = ts.createCompilerHost(options);
  const [readFile, fileExists] = [host.readFile.bind(host), host.fileExists.bind(host)];
  host.readFile = (file) => sources.get(file) ?? readFile(file);
  host.fileExists = (file) => sources.has(file) || fileExists(file);
  const program = ts.createProgram([...sources.keys()], options, host);
  return [...sources.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ messageText }) => ({
      file,
      message: ts.flattenDiagnosticMessageText(messageText, "\n"),
    }));
  });
}
