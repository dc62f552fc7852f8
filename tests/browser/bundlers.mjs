// Builds the projects of tests/bundlers with the package in their node_modules.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./context.mjs";
import { run, ship } from "./shipped.mjs";

const projects = path.join(root, "tests/bundlers");
const at = (...parts) => path.join(projects, ...parts);
const imported = (file) => import(pathToFileURL(file));
/** A module as the package.json beside it resolves it. */
const dependency = (name, folder) => imported(createRequire(path.join(folder, "package.json")).resolve(name));

let ready = null;

/** Installs the bundlers, unless that was done since the lock file changed, and the package; once. */
export function prepare() {
  ready ??= (async () => {
    const changed = (file) => fs.statSync(at(file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (changed("node_modules/.package-lock.json") < changed("package-lock.json")) {
      await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], projects);
    }
    await ship(at("node_modules/puna"));
  })();
  return ready;
}

/** Each builds its project's page into `folder`; `base` is where its files will be found, if that is not beside the page. */
export const vite = {
  folder: at("vite/dist"),
  async build(base = "/") {
    const { build } = await loadVite();
    await build({ ...VITE_OPTIONS, base });
  },
};

export const webpack = {
  folder: at("webpack/dist"),
  async build(base = "") {
    const { default: webpack } = await dependency("webpack", projects);
    const { default: config } = await imported(at("webpack/webpack.config.js"));
    const output = base === "" ? config.output : { ...config.output, publicPath: base };
    const stats = await new Promise((resolve, reject) => {
      webpack({ ...config, output }, (error, stats) => (error ? reject(error) : resolve(stats)));
    });
    if (stats.hasErrors()) throw new Error(`webpack: ${stats.toString({ all: false, errors: true })}`);
    const page = fs.readFileSync(at("webpack/index.html"), "utf8");
    fs.writeFileSync(at("webpack/dist/index.html"), page.replace('src="main.js"', `crossorigin src="${base}main.js"`));
  },
};

export const next = {
  folder: at("next/out"),
  async build() {
    fs.rmSync(next.folder, { recursive: true, force: true });
    const program = at("node_modules/next/dist/bin/next");
    await run(process.execPath, [program, "build"], at("next"), { NEXT_TELEMETRY_DISABLED: "1" });
  },
};

const VITE_OPTIONS = { root: at("vite"), configFile: false, logLevel: "error" };

/** The version that builds the package itself. */
function loadVite() {
  return dependency("vite", path.join(root, "www"));
}

/** Vite's server for those who work on a page, which puts each dependency into a file of its own. */
export async function serveWithVite() {
  const { createServer } = await loadVite();
  const server = await createServer({
    ...VITE_OPTIONS,
    // The package may have changed since the last run, which the lock file doesn't tell.
    optimizeDeps: { force: true },
    server: {
      host: "127.0.0.1",
      port: 0,
      fs: { allow: [root] },
      headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
    },
  });
  await server.listen();
  return { origin: `http://127.0.0.1:${server.httpServer.address().port}`, close: () => server.close() };
}
