// A model's address, as the worker and the cache know it.

import { InvalidRequestError } from "./errors.js";

/**
 * The address in full, for the worker's base is not the page's. An address that `fetch` would refuse is refused
 * here; `param` is what the caller knows it by.
 */
export function absoluteUrl(address: string | URL, param: string): string {
  const url = parsed(address, param);
  // Without repeating it: messages end up in logs.
  if (url.username !== "" || url.password !== "") {
    throw new InvalidRequestError(`${param}: a URL with a user name or password can't be fetched by a page`, {
      details: { param },
    });
  }
  return url.href;
}

function parsed(address: unknown, param: string): URL {
  const base =
    "document" in globalThis ? document.baseURI : (globalThis.location as Location | undefined)?.href;
  if (typeof address !== "string" && !(address instanceof URL)) {
    throw new InvalidRequestError(`${param}: expected a URL, got a value of type ${typeof address}`, {
      details: { param },
    });
  }
  try {
    return new URL(address, base);
  } catch (cause) {
    throw new InvalidRequestError(`${param}: ${JSON.stringify(String(address))} is not a URL`, {
      details: { param },
      cause,
    });
  }
}
