// Whether there is a GPU to run on. Asked before anything is fetched, so that the answer is about the device
// and says what the person at the screen can do.

import { UnsupportedDeviceError } from "../errors.js";

/** What is asked of the worker's globals; a parameter so that it can be tested without a browser. */
export interface DeviceScope {
  isSecureContext: boolean;
  navigator: { userAgent: string; gpu?: { requestAdapter(): Promise<Adapter | null> } };
}

/** The part of a `GPUAdapter` that is looked at; browsers that are a little older have no `info`. */
export interface Adapter {
  info?: {
    vendor: string;
    architecture: string;
    device: string;
    description: string;
    isFallbackAdapter?: boolean;
  };
}

/** What a model runs on, and why. */
export interface Choice {
  device: "webgpu" | "cpu";
  reason: string;
}

/**
 * The device to take. `isSoftware` tells from an adapter's names whether it is one that the processor imitates.
 * Throws `unsupported_device` where WebGPU is asked for and there is none.
 */
export async function chooseDevice(
  wanted: "auto" | "webgpu" | "cpu",
  scope: DeviceScope,
  isSoftware: (names: string) => boolean,
): Promise<Choice> {
  if (wanted === "cpu") return { device: "cpu", reason: "asked for" };
  try {
    const { info } = await requireWebGpu(scope);
    if (wanted === "webgpu") return { device: "webgpu", reason: "asked for" };
    const names = info && [info.description, info.device, info.architecture, info.vendor];
    const name = names?.find((name) => name !== "") ?? "WebGPU";
    if (info?.isFallbackAdapter === true || isSoftware(names?.join(" ") ?? "")) {
      return { device: "cpu", reason: `WebGPU is imitated by the processor here (${name}), which is slower` };
    }
    return { device: "webgpu", reason: `there is a GPU (${name})` };
  } catch (error) {
    if (wanted === "webgpu" || !(error instanceof UnsupportedDeviceError)) throw error;
    return { device: "cpu", reason: error.message };
  }
}

/** The adapter that WebGPU gives. Throws `unsupported_device` unless it gives one. */
async function requireWebGpu({ isSecureContext, navigator }: DeviceScope): Promise<Adapter> {
  if (!isSecureContext) {
    throw new UnsupportedDeviceError(
      "WebGPU needs a secure page: serve it over https://, or open it as http://localhost",
      { details: { reason: "insecure_context" } },
    );
  }
  const browser = browserOf(navigator.userAgent);
  if (navigator.gpu === undefined) {
    throw new UnsupportedDeviceError(`this browser offers no WebGPU: ${ADVICE[browser].noWebGpu}`, {
      details: { reason: "no_webgpu", browser },
    });
  }
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) {
    throw new UnsupportedDeviceError(`WebGPU found no usable GPU: ${ADVICE[browser].noAdapter}`, {
      details: { reason: "no_adapter", browser },
    });
  }
  return adapter;
}

type Browser = "chrome" | "edge" | "firefox" | "safari" | "other";

const ADVICE = {
  chrome: {
    noWebGpu:
      "update Chrome (113 or newer on Windows, macOS and ChromeOS, 121 or newer on Android); on Linux, turn on " +
      "chrome://flags/#enable-unsafe-webgpu and restart",
    noAdapter:
      "turn on “Use graphics acceleration when available” in chrome://settings/system and restart; on Linux also " +
      "chrome://flags/#enable-unsafe-webgpu; chrome://gpu tells what is blocked and why",
  },
  edge: {
    noWebGpu: "update Edge (113 or newer); on Linux, turn on edge://flags/#enable-unsafe-webgpu and restart",
    noAdapter:
      "turn on “Use graphics acceleration when available” in edge://settings/system and restart; edge://gpu tells " +
      "what is blocked and why",
  },
  firefox: {
    noWebGpu:
      "update Firefox (141 or newer on Windows, 145 or newer on a Mac with an Apple chip); elsewhere set " +
      "dom.webgpu.enabled and dom.webgpu.workers.enabled to true in about:config and restart",
    noAdapter:
      "turn on hardware acceleration in the settings under Performance and restart; about:support tells under " +
      "Graphics what is blocked and why",
  },
  safari: {
    noWebGpu: "it takes Safari 26 or newer (macOS 26, iOS 26, iPadOS 26): update the system",
    noAdapter: "restart Safari; Lockdown Mode switches WebGPU off",
  },
  other: {
    noWebGpu: "try a current Chrome, Edge, Firefox or Safari",
    noAdapter: "turn on hardware acceleration in the browser's settings and update the graphics driver",
  },
} satisfies Record<Browser, { noWebGpu: string; noAdapter: string }>;

function browserOf(userAgent: string): Browser {
  // The order matters: Edge also says Chrome, and both also say Safari.
  if (userAgent.includes("Edg/")) return "edge";
  if (/Chrom(e|ium)\//.test(userAgent)) return "chrome";
  if (userAgent.includes("Firefox/")) return "firefox";
  if (userAgent.includes("Safari/")) return "safari";
  return "other";
}
