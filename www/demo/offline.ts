// The page's service worker: once the page has been open, it opens without a network too. Models are not its
// business: the package keeps them itself. Built to sw.js (build/offline.ts).

/** The files of the page, relative to it, and a name that changes with any of them; the build writes both in. */
declare const PUNA_PAGE_FILES: readonly string[];
declare const PUNA_PAGE_VERSION: string;

/** The part of a service worker's globals that is used here. */
interface Scope {
  registration: { scope: string };
  clients: { claim(): Promise<void> };
  addEventListener(type: "install" | "activate", listener: (event: Lifetime) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
}

interface Lifetime {
  waitUntil(work: Promise<unknown>): void;
}

interface FetchEvent {
  request: Request;
  respondWith(response: Promise<Response>): void;
}

const scope = globalThis as unknown as Scope;

// Caches are the origin's, and other folders of it may hold pages like this one: the folder is in the name. A
// space can't be in a folder's name as URLs write it, so that no prefix is the beginning of another.
const PREFIX = `puna-page ${new URL(scope.registration.scope).pathname} `;
const CACHE = PREFIX + PUNA_PAGE_VERSION;

const files = new Set(PUNA_PAGE_FILES.map((file) => new URL(file, scope.registration.scope).href));

scope.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll([...files].map((url) => new Request(url, { cache: "reload" })))),
  );
});

// An old version goes when no page uses it any more: that is when this one becomes active.
scope.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith(PREFIX) && name !== CACHE))
      .then((old) => Promise.all(old.map((name) => caches.delete(name)))),
  );
  // Not waited for: in Firefox it takes until the page's threads agree, a minute, and requests wait for the activation.
  scope.clients.claim().catch(() => undefined);
});

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  // The model's address is in the query: the page is the same for all.
  url.search = "";
  if (request.method !== "GET" || !files.has(url.href)) return;
  // Names of assets change with their content; everything else may be newer on the server.
  event.respondWith(url.pathname.includes("/assets/") ? kept(request, url) : newest(request, url));
});

async function kept(request: Request, url: URL): Promise<Response> {
  return (await match(url)) ?? fetch(request);
}

async function newest(request: Request, url: URL): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    const old = await match(url);
    if (old !== undefined) return old;
    throw error;
  }
}

async function match(url: URL): Promise<Response | undefined> {
  return (await caches.open(CACHE)).match(url);
}
