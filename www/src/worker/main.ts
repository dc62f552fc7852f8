// The worker: a scope of its own, because synchronous OPFS handles exist only in one and a long prefill must
// not freeze the page.

import init, { Engine, inspect_model, is_software_adapter, list_models, remove_model } from "puna-engine";

import { PunaError, toWire } from "../errors.js";
import { hold } from "../locks.js";
import { camelKeys } from "../names.js";
import type { FromWorker, ToWorker } from "../types/messages.js";
import type { ProgressEvent } from "../types/model.js";
import { CpuHost, type CpuScope } from "./cpu.js";
import { type Choice, type DeviceScope, chooseDevice } from "./device.js";
import { GrammarHost } from "./grammar.js";
import { Policy, type PolicyScope } from "./policy.js";
import { Server, type Wasm } from "./serve.js";
import { withSubgroups } from "./subgroups.js";
import { Threads } from "./threads.js";
import type { WasmEngine } from "./wasm.js";

/** The part of a dedicated worker's globals that is used here. */
interface WorkerScope extends DeviceScope, CpuScope, PolicyScope {
  navigator: DeviceScope["navigator"] & CpuScope["navigator"];
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ToWorker>) => void): void;
  addEventListener(type: "unhandledrejection", listener: (event: PromiseRejectionEvent) => void): void;
  addEventListener(...given: Parameters<PolicyScope["addEventListener"]>): void;
}

const scope = globalThis as unknown as WorkerScope;

const threads = new Threads(scope);
const cpu = new CpuHost(scope, threads, (message) => {
  scope.postMessage({ kind: "warned", message });
});

const grammar = new GrammarHost();
const policy = new Policy(scope);

const wasm: Wasm = {
  async load({ source, adapters, options }, onProgress, signal) {
    await startWasm();
    const { device: wanted = "auto", ...others } = options;
    const run = ({ device, reason }: Choice): Promise<WasmEngine> =>
      Engine.load(
        JSON.stringify({ ...others, device, device_reason: reason }),
        source,
        adapters,
        (progress) => {
          onProgress(camelKeys(progress) as ProgressEvent);
        },
        signal,
        cpu,
        grammar,
      );
    const choice = await chooseDevice(wanted, scope, is_software_adapter);
    if (choice.device === "cpu") return policy.explain(run(choice));
    try {
      return await policy.explain(withSubgroups(GPUAdapter, () => run(choice), tellLost));
    } catch (error) {
      const { code, message } = toWire(error);
      // An adapter that gives no device is as good as none.
      if (wanted !== "auto" || code !== "unsupported_device") throw error;
      return policy.explain(run({ device: "cpu", reason: message }));
    }
  },
  async inspect({ source, options }, signal) {
    await startWasm();
    const { device: wanted = "auto", ...others } = options;
    const run = ({ device, reason }: Choice, refused?: string): Promise<string> => {
      const text = JSON.stringify({ ...others, device, device_reason: reason });
      return inspect_model(text, source, wanted === "auto", refused, signal);
    };
    let choice: Choice;
    try {
      choice = await chooseDevice(wanted, scope, is_software_adapter);
    } catch (error) {
      // What is asked for is not there: that is what is reported.
      return run({ device: "webgpu", reason: "asked for" }, JSON.stringify(toWire(error)));
    }
    return policy.explain(
      choice.device === "cpu" ? run(choice) : withSubgroups(GPUAdapter, () => run(choice)),
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

/** The page need not wait for a request to hear of it. */
function tellLost({ reason, message }: GPUDeviceLostInfo): void {
  const said = `the GPU was lost (${reason}): ${message}`;
  scope.postMessage({ kind: "died", error: { code: "device_lost", message: said, details: {} } });
}

async function startWasm(): Promise<void> {
  try {
    await init();
  } catch (error) {
    throw new PunaError(
      "internal",
      `the engine did not start: ${String(error)}; puna_web_bg.wasm must lie beside worker.js, and a ` +
        "Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src, and where they come from in connect-src",
    );
  }
}

const server = new Server(scope, wasm);
scope.addEventListener("message", ({ data }) => {
  if (data.kind === "thread") threads.report(data);
  else server.handle(data);
});
// Of a worker that was ended from outside nobody is told. There are locks in secure contexts alone, and so is `randomUUID`.
if ((navigator as Partial<Navigator>).locks !== undefined) {
  const lock = `puna model ${crypto.randomUUID()}`;
  hold(lock, new Promise(() => undefined)).then(
    () => {
      scope.postMessage({ kind: "lives", lock });
    },
    () => undefined,
  );
}
// A trap inside an asynchronous function of the wasm ends up here and not at any caller.
scope.addEventListener("unhandledrejection", (event) => {
  scope.postMessage({ kind: "died", error: toWire(event.reason) });
});
