// The first visit: a service worker answers a page's requests only when it has been installed and has taken charge of it.

import { AbortError, InvalidRequestError } from "../index.js";
import { containerOf } from "./container.js";
import type { ToWorker } from "./messages.js";

/** Options of `ready`. */
export interface ReadyOptions {
  /** What the script is; `module` if it has imports. `classic`, as browsers have it, where absent. */
  type?: "classic" | "module";
  /** The folder of pages that it is in charge of; the script's own where absent. */
  scope?: string | URL;
  /** Ends the waiting; the registration stays. */
  signal?: AbortSignal | null;
}

/** More than a service worker takes to start on a machine that has much else to do. */
const MOST_MS = 10_000;

/**
 * Registers the service worker in which `serve` of `puna/sw` runs, and waits until it answers this page's requests. Without
 * that, what a page asks in its first moments goes to the network, on the first visit and after a reload past the cache.
 *
 * @example
 * import { ready } from "puna/sw-page";
 *
 * await ready("/sw.js", { type: "module" });
 */
export async function ready(
  script: string | URL,
  { type = "classic", scope, signal = null }: ReadyOptions = {},
): Promise<ServiceWorkerRegistration> {
  const container = containerOf();
  const stopped = abortOf(signal);
  const registration = await Promise.race([register(container, script, type, scope), stopped]);
  if (!location.href.startsWith(registration.scope)) {
    throw refusal(
      "scope",
      `this page is not below the service worker's scope ${registration.scope}: give a scope above both, and serve the ` +
        "script from there, or with the header Service-Worker-Allowed",
    );
  }
  // The page is below both scopes. One that is farther is told of for a moment, where the other has just been registered.
  const nearest = await container.getRegistration();
  if (nearest !== undefined && nearest.scope.length > registration.scope.length) {
    throw refusal(
      "scope",
      `another service worker is in charge of this page, for its scope ${nearest.scope} is nearer than ${registration.scope}: ` +
        "call serve() in that one's script",
    );
  }
  const { active, waiting, installing } = registration;
  // Another script may have been in charge so far.
  const isIts = (worker: ServiceWorker | null): boolean =>
    worker?.scriptURL === new URL(script, document.baseURI).href;
  const worker = [active, waiting, installing].find(isIts) ?? active;
  if (worker === null) throw refusal("script", `the service worker ${String(script)} is gone`);
  await Promise.race([activated(worker, script), stopped]);
  await Promise.race([greeted(worker, script), stopped]);
  await Promise.race([inCharge(container, registration), stopped]);
  return registration;
}

async function register(
  container: ServiceWorkerContainer,
  script: string | URL,
  type: "classic" | "module",
  scope: string | URL | undefined,
): Promise<ServiceWorkerRegistration> {
  try {
    return await container.register(script, {
      type,
      ...(scope === undefined ? {} : { scope: String(scope) }),
    });
  } catch (cause) {
    throw refusal(
      "script",
      `the service worker ${String(script)} could not be registered: ${String(cause)}`,
      cause,
    );
  }
}

/** Waits until it has been installed, and no older one is in its way. */
function activated(worker: ServiceWorker, script: string | URL): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return new Promise<void>((resolve, reject) => {
    const look = (): void => {
      clearTimeout(timer);
      if (worker.state === "activated") resolve();
      else if (worker.state === "redundant") {
        reject(refusal("script", `the service worker ${String(script)} failed to install, or was replaced`));
      } else if (worker.state === "installed") {
        timer = setTimeout(() => {
          reject(
            refusal(
              "script",
              `the service worker ${String(script)} waits until no page uses the one before it: close them all, or call ` +
                "skipWaiting() in its script",
            ),
          );
        }, MOST_MS);
      }
    };
    worker.addEventListener("statechange", look);
    look();
  }).finally(() => {
    clearTimeout(timer);
  });
}

/** Asks whether it is `serve` that runs there; it takes charge of the page. */
function greeted(worker: ServiceWorker, script: string | URL): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        refusal(
          "script",
          `the service worker ${String(script)} did not answer within ${MOST_MS} ms: its script must call serve() of puna/sw when ` +
            "it runs first; a newer version of it may wait until all pages of the older one are closed",
        ),
      );
    }, MOST_MS);
    port1.onmessage = () => {
      clearTimeout(timer);
      resolve();
    };
    worker.postMessage({ puna: "ready" } satisfies ToWorker, [port2]);
  }).finally(() => {
    port1.close();
  });
}

/** Waits until the page's requests go to it. */
function inCharge(container: ServiceWorkerContainer, registration: ServiceWorkerRegistration): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      const { controller } = container;
      if (controller === null || controller.scriptURL !== registration.active?.scriptURL) return;
      container.removeEventListener("controllerchange", look);
      resolve();
    };
    container.addEventListener("controllerchange", look);
    look();
  });
}

/** Rejects when the signal is aborted. */
function abortOf(signal: AbortSignal | null): Promise<never> {
  const stopped = new Promise<never>((_, reject) => {
    const stop = (): void => {
      reject(new AbortError(undefined, { cause: signal?.reason }));
    };
    if (signal?.aborted === true) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
  stopped.catch(() => undefined);
  return stopped;
}

function refusal(param: string, message: string, cause?: unknown): InvalidRequestError {
  return new InvalidRequestError(message, { details: { param }, ...(cause === undefined ? {} : { cause }) });
}
