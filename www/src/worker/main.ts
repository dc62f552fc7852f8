// The worker: a scope of its own, because synchronous OPFS handles exist only in one and a long prefill must
// not freeze the page.

import init, { Engine, list_models, remove_model } from "puna-engine";

import { PunaError, toWire } from "../errors.js";
import { camelKeys } from "../names.js";
import type { FromWorker, ToWorker } from "../types/messages.js";
import type { ProgressEvent } from "../types/model.js";
import { type DeviceScope, requireWebGpu } from "./device.js";
import { Server, type Wasm } from "./serve.js";
import { withSubgroups } from "./subgroups.js";

/** The part of a dedicated worker's globals that is used here. */
interface WorkerScope extends DeviceScope {
  postMessage(message: FromWorker): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ToWorker>) => void): void;
  addEventListener(type: "unhandledrejection", listener: (event: PromiseRejectionEvent) => void): void;
}

const scope = globalThis as unknown as WorkerScope;

const wasm: Wasm = {
  async load({ source, options }, onProgress, signal) {
    await requireWebGpu(scope);
    await startWasm();
    return withSubgroups(GPUAdapter, () =>
      Engine.load(
        JSON.stringify(options),
        source,
        (progress) => {
          onProgress(camelKeys(progress) as ProgressEvent);
        },
        signal,
      ),
    );
  },
  async list() {
    await startWasm();
    return list_models();
  },
  async remove(url) {
    await startWasm();
    return remove_model(url);
  },
};

async function startWasm(): Promise<void> {
  try {
    await init();
  } catch (error) {
    throw new PunaError(
      "internal",
      `the engine did not start: ${String(error)}; puna_web_bg.wasm must lie beside worker.js, and a ` +
        "Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src and 'self' in connect-src",
    );
  }
}

const server = new Server(scope, wasm);
scope.addEventListener("message", (event) => {
  server.handle(event.data);
});
// A trap inside an asynchronous function of the wasm ends up here and not at any caller.
scope.addEventListener("unhandledrejection", (event) => {
  scope.postMessage({ kind: "died", error: toWire(event.reason) });
});
