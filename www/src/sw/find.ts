// Which pages have models. Nothing of it is kept: a browser ends a service worker that has nothing to do, and what it knew
// would be gone. So every request begins with asking.

import { pageSilent } from "./failure.js";
import { heldBy, onFree } from "../locks.js";
import type { Offer, ToPage } from "./messages.js";
import type { PageClient, WorkerScope } from "./scope.js";

/** An offer, and the page that it is of. */
export interface Found extends Offer {
  page: PageClient;
}

/** How long a page may take to say what it offers; one whose script hangs would hold everybody up. */
const MOST_MS = 3000;

/**
 * What all pages of the origin offer, the best for this request first.
 *
 * @throws Failure if none says anything though there are some
 */
export async function findOffers(
  clients: WorkerScope["clients"],
  wanted: { model: string | null; clientId: string },
): Promise<Found[]> {
  // Who holds such a lock will answer, unless it goes meanwhile.
  const missing = new Set(await heldBy("puna offer "));
  if (missing.size === 0) return [];
  const pages = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const found: Found[] = [];
  await new Promise<void>((resolve) => {
    const release: (() => void)[] = [];
    const finish = (): void => {
      clearTimeout(timer);
      for (const end of release) end();
      resolve();
    };
    const settle = (lock: string): void => {
      missing.delete(lock);
      if (missing.size === 0) finish();
    };
    const timer = setTimeout(finish, MOST_MS);
    for (const lock of missing) {
      release.push(
        onFree(lock, () => {
          settle(lock);
        }),
      );
    }
    for (const page of pages) {
      const { port1, port2 } = new MessageChannel();
      release.push(() => {
        port1.close();
      });
      port1.onmessage = ({ data }) => {
        if (!isOffer(data)) return;
        if (data.state !== "leaving") found.push({ ...data, page });
        settle(data.offer);
      };
      page.postMessage({ puna: "find" } satisfies ToPage, [port2]);
    }
  });
  if (found.length === 0 && missing.size > 0) throw pageSilent(MOST_MS);
  return found.sort((a, b) => rank(b, wanted) - rank(a, wanted) || b.since - a.since);
}

/** The model that was named, then the page's own, then one that is loaded; of equals the newest. */
function rank({ model, page, state }: Found, wanted: { model: string | null; clientId: string }): number {
  const isNamed = model !== null && model === wanted.model;
  return (isNamed ? 4 : 0) + (page.id === wanted.clientId ? 2 : 0) + (state === "ready" ? 1 : 0);
}

function isOffer(data: unknown): data is Offer {
  if (typeof data !== "object" || data === null) return false;
  const { offer, state, model, since } = data as Partial<Record<keyof Offer, unknown>>;
  return (
    typeof offer === "string" &&
    (state === "ready" || state === "loading" || state === "leaving") &&
    (typeof model === "string" || model === null) &&
    typeof since === "number"
  );
}
