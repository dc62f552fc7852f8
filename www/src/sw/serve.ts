// Requests of the page's own origin, answered by the models of its open pages.

import type { MessageFromPage, WorkerScope } from "./scope.js";
import { Server } from "./server.js";

/** Options of `serve`. */
export interface ServeOptions {
  /**
   * The folder of addresses that are answered, and nothing else lies in: from the service worker's scope on, or with a slash in
   * front from the origin's root. `puna` where absent: `…/puna/v1/chat/completions` and so on.
   */
  path?: string;
  /** Whether pages that were open before the worker was there are taken charge of at once, as where absent; else when one calls `ready`. */
  claim?: boolean;
}

/**
 * Answers the requests below a path by the models that open pages offer (`answer` of `puna/sw-page`): for code that can't
 * be given a `fetch`. To be called once, when the service worker's script runs first, and before listeners of its own
 * for `fetch` are added: those don't see these requests then.
 *
 * @example
 * import { serve } from "puna/sw"; // in a classic script: importScripts("/lib/sw.classic.js"), and puna.serve
 *
 * serve({ path: "/puna" });
 */
export function serve({ path = "puna", claim = true }: ServeOptions = {}): void {
  const scope = globalThis as unknown as WorkerScope;
  const folder = folderOf(path, scope.registration.scope);
  const server = new Server(scope.clients);
  scope.addEventListener("fetch", (event) => {
    const url = new URL(event.request.url);
    if (url.origin !== folder.origin || !url.pathname.startsWith(folder.pathname)) return;
    event.stopImmediatePropagation();
    event.respondWith(server.answer(event));
  });
  scope.addEventListener("message", (event) => {
    hear(event, scope, server);
  });
  if (claim) {
    scope.addEventListener("activate", () => {
      takeCharge(scope);
    });
  }
}

/** The folder of addresses. */
function folderOf(path: string, scope: string): URL {
  const folder = new URL(`${path.replace(/\/+$/, "")}/`, scope);
  const whole = new URL(scope);
  if (folder.origin === whole.origin && !whole.pathname.startsWith(folder.pathname)) return folder;
  throw new TypeError(
    `path: expected a folder of this origin, and not all of the service worker's scope ${scope}, got ${folder.href}`,
  );
}

/** What pages say besides requests. Others' messages go past. */
function hear(event: MessageFromPage, scope: WorkerScope, server: Server): void {
  const { puna } = (event.data ?? {}) as { puna?: unknown };
  const [port] = event.ports;
  if (puna === "awake") server.stayAwake(event);
  if (puna !== "ready" || port === undefined) return;
  // A page that was reloaded past its service worker is taken charge of again.
  takeCharge(scope);
  port.postMessage({ puna: "ready" });
}

/**
 * Nobody waits for it: in Firefox it has not done before all workers of the page agree, which takes threads that sleep a
 * minute, and an activation that waited would hold up every request.
 */
function takeCharge({ clients }: WorkerScope): void {
  // It refuses where another version has come meanwhile, whose business it is then.
  clients.claim().catch(() => undefined);
}
