// The page's side of service workers, where there are any.

import { UnsupportedDeviceError } from "../index.js";

/** What a page has to do with service workers; throws where browsers have none. */
export function containerOf(): ServiceWorkerContainer {
  const { serviceWorker } = navigator as { serviceWorker?: ServiceWorkerContainer };
  if (serviceWorker !== undefined) return serviceWorker;
  throw new UnsupportedDeviceError(
    "this page has no service workers: it must be secure (https://, or http://localhost), and some private windows " +
      "have none; give model.fetch to the client instead",
    { details: { reason: "no_service_worker" } },
  );
}
