// The page's side of service workers, where there are any.

import { UnsupportedDeviceError } from "../index.js";

/** What a page has to do with service workers; throws where browsers have none, or no locks to tell whether they live. */
export function containerOf(): ServiceWorkerContainer {
  const { serviceWorker, locks } = navigator as {
    serviceWorker?: ServiceWorkerContainer;
    locks?: LockManager;
  };
  if (serviceWorker !== undefined && locks !== undefined) return serviceWorker;
  throw new UnsupportedDeviceError(
    "this page has no service workers, or no Web Locks: it must be secure (https://, or http://localhost), and some private " +
      "windows have none; give model.fetch to the client instead",
    { details: { reason: "no_service_worker" } },
  );
}
