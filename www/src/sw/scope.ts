// The part of a service worker's globals that is used here.

/** A page of the origin, as its service worker sees it. */
export interface PageClient {
  readonly id: string;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** What keeps a service worker awake. */
export interface Lifetime {
  waitUntil(work: Promise<unknown>): void;
}

/** A request of a page. */
export interface FetchEvent extends Lifetime {
  readonly request: Request;
  /** Who asked; empty where a page is opened. */
  readonly clientId: string;
  respondWith(response: Promise<Response>): void;
  stopImmediatePropagation(): void;
}

/** A message of a page. */
export interface MessageFromPage extends Lifetime {
  readonly data: unknown;
  readonly ports: readonly MessagePort[];
}

/** A service worker's global. */
export interface WorkerScope {
  readonly registration: { readonly scope: string };
  readonly clients: {
    matchAll(options: { type: "window"; includeUncontrolled: true }): Promise<readonly PageClient[]>;
    claim(): Promise<void>;
  };
  addEventListener(type: "activate", listener: (event: Lifetime) => void): void;
  addEventListener(type: "message", listener: (event: MessageFromPage) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
}
