// A worker's script, wherever it lies. Browsers start no worker of another origin's script: where the package comes from
// a CDN, the page starts a script of its own that does nothing but import the other.

import { PunaError, UnsupportedDeviceError } from "../errors.js";

/** A worker that can say why it did not start. */
export interface StartedWorker extends Worker {
  /** Why its script could not be loaded, and what to do. */
  readonly notLoaded: () => string;
}

/** What a worker is made of. */
interface Script {
  url: URL;
  options: WorkerOptions | undefined;
}

/**
 * Starts the worker that `create` makes, by a script of this origin if its own is of another. `create` holds the expression
 * that bundlers look for, and is asked for the address that they put there.
 */
export function startScript(create: () => Worker): StartedWorker {
  if (typeof Worker === "undefined") {
    throw new UnsupportedDeviceError(
      "there are no workers here: call this in a page, or in a worker of one, but not on a server and not in a service worker",
      { details: { reason: "no_workers" } },
    );
  }
  watchPolicy();
  const script = scriptOf(create);
  try {
    if (script === null || isOwn(script.url)) {
      const address = script?.url.href;
      return Object.assign(create(), { notLoaded: () => whyNotOwn(address) });
    }
    const worker = new Worker(importing(script), script.options);
    return Object.assign(worker, { notLoaded: () => whyNotOther(script.url) });
  } catch (cause) {
    const from = script === null ? "" : ` from ${script.url.href}`;
    throw new PunaError("internal", `a worker could not be started${from}: ${String(cause)}`, { cause });
  }
}

/** What `create` would start; `null` where that can't be known. */
function scriptOf(create: () => Worker): Script | null {
  let script: Script | null = null;
  const native = globalThis.Worker;
  const asked = function (url: string | URL, options?: WorkerOptions): never {
    script = { url: new URL(url, baseUrl()), options };
    throw new Error("asked, not started");
  };
  try {
    // For as long as it takes to ask: nothing else runs meanwhile.
    globalThis.Worker = asked as unknown as typeof Worker;
    // Else globals are frozen, and it would be started in earnest.
    if (globalThis.Worker !== native) create();
  } catch {
    // As it is meant to.
  } finally {
    if (globalThis.Worker !== native) globalThis.Worker = native;
  }
  return script;
}

/** What addresses of workers are relative to. */
function baseUrl(): string {
  return typeof document === "undefined" ? location.href : document.baseURI;
}

/** Whether the script at `url` may be started as it is. */
function isOwn(url: URL): boolean {
  if (url.origin === origin) return true;
  // Some browsers tell no origin of an address whose scheme is an app's or an extension's own.
  return (
    origin !== "null" &&
    url.origin === "null" &&
    url.protocol === location.protocol &&
    url.host === location.host
  );
}

/** Addresses of the scripts that import another; kept, for some browsers fetch them late. */
const importers = new Map<string, string>();

/** The address of a script of this origin that imports `script`. */
function importing({ url, options }: Script): string {
  const name = JSON.stringify(url.href);
  const text = options?.type === "module" ? `import ${name};` : `importScripts(${name});`;
  let address = importers.get(text);
  if (address === undefined) {
    address =
      scheme() === "blob:"
        ? URL.createObjectURL(new Blob([text], { type: "text/javascript" }))
        : `data:text/javascript,${encodeURIComponent(text)}`;
    importers.set(text, address);
  }
  return address;
}

/** What such addresses begin with. In a sandboxed frame, which has no origin, Chromium starts no module of a blob. */
function scheme(): "blob:" | "data:" {
  return origin === "null" ? "data:" : "blob:";
}

/** What a Content-Security-Policy of this page has refused to start as a worker. */
const refused = new Set<string>();
let isWatching = false;

/** Remembers it: a worker that is refused is told no reason. */
function watchPolicy(): void {
  if (isWatching) return;
  isWatching = true;
  globalThis.addEventListener(
    "securitypolicyviolation",
    ({ effectiveDirective, disposition, blockedURI }) => {
      if (effectiveDirective === "worker-src" && disposition === "enforce") refused.add(blockedURI);
    },
  );
}

function whyNotOwn(address: string | undefined): string {
  if (address !== undefined && refused.has(address)) {
    return `a Content-Security-Policy of this page forbids ${address} as a worker: allow "worker-src 'self'"`;
  }
  return (
    `${address ?? "its script"} could not be loaded: the package's scripts must lie beside index.js, or where the bundler puts ` +
    "them, be served as JavaScript, and where the page is cross-origin isolated with a Cross-Origin-Embedder-Policy too"
  );
}

function whyNotOther(url: URL): string {
  const rule = `"worker-src ${scheme()} ${url.origin}"`;
  const from = origin === "null" ? `the origin "null" of this sandboxed frame` : origin;
  if (refused.has(scheme().slice(0, -1))) {
    return (
      `${url.href} is not of ${from}, where its worker is started by a ${scheme()} address, which a ` +
      `Content-Security-Policy of this page forbids: allow ${rule}, or serve the package's files from the page's own origin`
    );
  }
  return (
    `${url.href} could not be loaded: its host must allow ${from} by Access-Control-Allow-Origin, and a ` +
    `Content-Security-Policy of this page, if there is one, must have ${rule}`
  );
}
