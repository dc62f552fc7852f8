// Which script a worker is started by: its own, or one of the page's that imports it.
import { afterEach, describe, expect, it, vi } from "vitest";

import { UnsupportedDeviceError } from "../src/errors.js";
import { startScript } from "../src/worker/script.js";

/** What was started. */
let started: { url: string; options: WorkerOptions | undefined }[] = [];

function fakeWorker(url: string | URL, options?: WorkerOptions): void {
  started.push({ url: String(url), options });
}

/** A page at that address. */
function page(address: string, origin = new URL(address).origin): void {
  started = [];
  vi.stubGlobal("Worker", fakeWorker);
  vi.stubGlobal("origin", origin);
  vi.stubGlobal("location", new URL(address));
  vi.stubGlobal("addEventListener", () => undefined);
}

const MODULE: WorkerOptions = { type: "module", name: "w" };
const start = (url: string | URL, options?: WorkerOptions): ReturnType<typeof startScript> =>
  startScript(() => new Worker(url, options));

/** The text of the script that was started. */
async function textOf(url: string): Promise<string> {
  expect(url).toMatch(globalThis.origin === "null" ? /^data:text\/javascript,/ : /^blob:/);
  return (await fetch(url)).text();
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("a worker's script", () => {
  it.each([
    ["https://app.example/page/", "https://app.example/package/worker.js"],
    // No origin is told of such addresses.
    ["app-scheme://abc/page.html", "app-scheme://abc/package/worker.js"],
    ["https://app.example/", "blob:https://app.example/5a1f"],
  ])("in %s is started as it is from %s", (address, url) => {
    page(address, address.startsWith("https:") ? undefined : "app-scheme://abc");
    start(new URL(url), MODULE);
    expect(started).toEqual([{ url, options: MODULE }]);
    expect(globalThis.Worker).toBe(fakeWorker);
  });

  it("is relative to the page, as workers' addresses are", () => {
    page("https://app.example/page/");
    start("/worker.js", MODULE);
    expect(started).toEqual([{ url: "/worker.js", options: MODULE }]);
  });

  it.each([
    ["https://app.example/page/", undefined],
    ["http://cdn.example/page/", undefined],
    // A sandboxed frame has no origin, not even its own address's.
    ["https://cdn.example/page/", "null"],
    ["app-scheme://abc/page.html", "app-scheme://abc"],
  ])("of another origin than %s (%s) is imported", async (address, origin) => {
    page(address, origin);
    const url = `https://cdn.example/worker.js?for=${encodeURIComponent(address)}`;
    const worker = start(new URL(url), MODULE);
    expect(started).toHaveLength(1);
    expect(started[0]?.options).toEqual(MODULE);
    expect(await textOf(started[0]?.url ?? "")).toBe(`import "${url}";`);
    const scheme = origin === "null" ? "data:" : "blob:";
    expect(worker.notLoaded()).toContain(`${url} could not be loaded`);
    expect(worker.notLoaded()).toContain(`"worker-src ${scheme} https://cdn.example"`);
  });

  it("that is no module is imported as such are", async () => {
    page("https://app.example/");
    start("https://cdn.example/a%22b.js", { name: "w" });
    expect(await textOf(started[0]?.url ?? "")).toBe('importScripts("https://cdn.example/a%22b.js");');
  });

  it("is imported by one script however often", () => {
    page("https://app.example/");
    start("https://cdn.example/worker.js", MODULE);
    start("https://cdn.example/worker.js", MODULE);
    expect(started[0]?.url).toBe(started[1]?.url);
  });

  it("can't be started where there are no workers", () => {
    expect(() => start("worker.js")).toThrow(UnsupportedDeviceError);
    expect(() => start("worker.js")).toThrow(/not on a server and not in a service worker/);
  });

  it("that is refused at once says why, and where it lies", () => {
    page("https://app.example/");
    vi.stubGlobal("Worker", function () {
      throw new TypeError("not trusted");
    });
    expect(() => start("/worker.js")).toThrow(
      /from https:\/\/app\.example\/worker\.js: TypeError: not trusted/,
    );
  });

  it("is started as ever where globals are frozen", () => {
    page("https://app.example/");
    vi.unstubAllGlobals();
    for (const set of [{}, { set: () => undefined }]) {
      page("https://app.example/");
      vi.stubGlobal("Worker", undefined);
      Object.defineProperty(globalThis, "Worker", { get: () => fakeWorker, ...set, configurable: true });
      start("https://app.example/worker.js", MODULE);
      expect(started).toEqual([{ url: "https://app.example/worker.js", options: MODULE }]);
      vi.unstubAllGlobals();
    }
  });
});
