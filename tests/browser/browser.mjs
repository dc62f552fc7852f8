// Starts Chromium or Firefox without a window, and says which adapter its WebGPU gives.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import puppeteer from "puppeteer-core";

/** A software adapter takes minutes for what a GPU does in a second; each test has its own, shorter limit. */
const PROTOCOL_TIMEOUT_MS = 30 * 60 * 1000;

const CHROMIUM_FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // The two heaps that a test reads must be exact.
  "--enable-precise-memory-info",
];
const CHROMIUM_WEBGPU = ["--enable-unsafe-webgpu"];
const CHROMIUM_SWIFTSHADER = "--use-webgpu-adapter=swiftshader";
const CHROMIUM_OWN_GPU = ["--use-angle=vulkan", "--enable-features=Vulkan", "--disable-vulkan-surface", "--ignore-gpu-blocklist"];

const FIREFOX_WEBGPU = {
  "dom.webgpu.enabled": true,
  "dom.webgpu.workers.enabled": true,
  "gfx.webgpu.ignore-blocklist": true,
};

const FIREFOX_PREFS = {
  // No request may leave the machine.
  "app.update.enabled": false,
  "browser.safebrowsing.downloads.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  // A service worker without work is ended soon, not after half a minute.
  "dom.serviceWorkers.idle_timeout": 500,
};

/**
 * Starts `name` ("chromium" or "firefox"), as it comes or with WebGPU; `close` ends it and removes what it wrote. A folder named
 * as `kept` is its profile instead of a fresh one, and stays. Without `watched` requests are not watched, for which this program
 * and the browser keep what they bring. With `extensions` Chromium takes such by `installExtension`. WebGPU is Chromium's SwiftShader, or with `own` the machine's GPU; Firefox takes what
 * Vulkan offers.
 */
export async function launch(name, program, hasWebGpu, { kept, watched = true, own = false, extensions = false } = {}) {
  const profile = kept ?? fs.mkdtempSync(path.join(os.tmpdir(), `puna-${name}-`));
  const clear = () => {
    // A process of the browser may still be writing its last file.
    if (!kept) fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  const common = { executablePath: program, headless: true, networkEnabled: watched, protocolTimeout: PROTOCOL_TIMEOUT_MS, timeout: 120_000 };
  let browser;
  try {
    browser =
      name === "firefox"
        ? await puppeteer.launch({ ...common, browser: "firefox", extraPrefsFirefox: { ...FIREFOX_PREFS, ...(hasWebGpu && FIREFOX_WEBGPU) }, userDataDir: profile })
        : await puppeteer.launch({
            ...common,
            browser: "chrome",
            userDataDir: profile,
            // Only who has the pipe may install extensions.
            ...(extensions && { enableExtensions: true, pipe: true }),
            args: [...CHROMIUM_FLAGS, ...(hasWebGpu ? [...CHROMIUM_WEBGPU, ...(own ? CHROMIUM_OWN_GPU : [CHROMIUM_SWIFTSHADER])] : [])],
          });
  } catch (error) {
    clear();
    throw new Error(`${program} does not start: ${error.message}`, { cause: error });
  }
  return {
    browser,
    version: await browser.version(),
    async close() {
      await browser.close().catch(() => {});
      clear();
    },
  };
}

/** What WebGPU says of itself in `page`; `null` where there is no adapter. */
export function probe(page) {
  return page.evaluate(async () => {
    const adapter = await navigator.gpu?.requestAdapter();
    if (!adapter) return null;
    const { vendor, architecture, device, description } = adapter.info;
    return {
      name: [vendor, architecture, device, description].filter(Boolean).join(" "),
      f16: adapter.features.has("shader-f16"),
      subgroups: adapter.features.has("subgroups"),
      maxBindingBytes: adapter.limits.maxStorageBufferBindingSize,
      isolated: crossOriginIsolated,
    };
  });
}
