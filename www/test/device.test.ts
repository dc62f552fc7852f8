import { describe, expect, it } from "vitest";

import { UnsupportedDeviceError } from "../src/errors.js";
import { type Adapter, type DeviceScope, chooseDevice } from "../src/worker/device.js";
import { type AdapterClass, withSubgroups } from "../src/worker/subgroups.js";
import { rejectionOf } from "./support.js";

const AGENTS = {
  chrome:
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
  edge: "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0",
  firefox: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
  safari: "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
  other: "Lynx/2.9",
} as const;

const gpu = (adapter: Adapter | null): NonNullable<DeviceScope["navigator"]["gpu"]> => ({
  requestAdapter: () => Promise.resolve(adapter),
});

const refusal = async (scope: DeviceScope): Promise<UnsupportedDeviceError> => {
  const error = await rejectionOf(chooseDevice("webgpu", scope, () => false));
  expect(error).toBeInstanceOf(UnsupportedDeviceError);
  return error as UnsupportedDeviceError;
};

describe("a device without WebGPU", () => {
  it.each([
    ["chrome", "chrome://flags/#enable-unsafe-webgpu"],
    ["edge", "edge://flags"],
    ["firefox", "dom.webgpu.enabled"],
    ["safari", "Safari 26"],
    ["other", "Chrome, Edge, Firefox or Safari"],
  ] as const)("is told what to do in %s", async (browser, advice) => {
    const error = await refusal({ isSecureContext: true, navigator: { userAgent: AGENTS[browser] } });
    expect(error.details).toEqual({ reason: "no_webgpu", browser });
    expect(error.message).toContain(advice);
  });

  it("is told of the missing adapter apart", async () => {
    const error = await refusal({
      isSecureContext: true,
      navigator: { userAgent: AGENTS.chrome, gpu: gpu(null) },
    });
    expect(error.details).toEqual({ reason: "no_adapter", browser: "chrome" });
    expect(error.message).toContain("chrome://gpu");
  });

  it("is told of the insecure page first, for that is why WebGPU is missing", async () => {
    const error = await refusal({ isSecureContext: false, navigator: { userAgent: AGENTS.safari } });
    expect(error.details).toEqual({ reason: "insecure_context" });
    expect(error.message).toContain("https://");
  });

  it("is not made up where there is an adapter", async () => {
    const scope = { isSecureContext: true, navigator: { userAgent: AGENTS.other, gpu: gpu({}) } };
    const choice = await chooseDevice("webgpu", scope, () => true);
    expect(choice).toEqual({ device: "webgpu", reason: "asked for" });
  });
});

describe("the request for subgroups", () => {
  const never = new Promise<GPUDeviceLostInfo>(() => undefined);
  const make = (
    features: string[],
    lost = never,
  ): { adapterClass: AdapterClass; asked: (GPUDeviceDescriptor | undefined)[] } => {
    const asked: (GPUDeviceDescriptor | undefined)[] = [];
    class Adapter {
      readonly features = new Set(features);
      requestDevice(descriptor?: GPUDeviceDescriptor): Promise<GPUDevice> {
        asked.push(descriptor);
        return Promise.resolve({ lost } as GPUDevice);
      }
    }
    return { adapterClass: Adapter, asked };
  };
  const ask = (
    { prototype }: AdapterClass,
    features: string[],
    descriptor: GPUDeviceDescriptor,
  ): Promise<GPUDevice> =>
    prototype.requestDevice.call({ features: new Set(features) } as unknown as GPUAdapter, descriptor);

  it("is added where the adapter has them, next to what was asked", async () => {
    const { adapterClass, asked } = make(["subgroups"]);
    await withSubgroups(adapterClass, () =>
      ask(adapterClass, ["subgroups"], { label: "d", requiredFeatures: ["timestamp-query"] }),
    );
    expect(asked).toEqual([{ label: "d", requiredFeatures: ["timestamp-query", "subgroups"] }]);
  });

  it("is not added where it has not", async () => {
    const { adapterClass, asked } = make([]);
    await withSubgroups(adapterClass, () => ask(adapterClass, [], {}));
    expect(asked).toEqual([{ requiredFeatures: [] }]);
  });

  it("tells of a device that is lost, and not of one that is given back", async () => {
    const heard: string[] = [];
    for (const reason of ["unknown", "destroyed"] as const) {
      const lost = Promise.resolve({ reason, message: `by ${reason}` } as GPUDeviceLostInfo);
      const { adapterClass } = make([], lost);
      const work = (): Promise<GPUDevice> => ask(adapterClass, [], {});
      await withSubgroups(adapterClass, work, ({ message }) => heard.push(message));
      await lost;
    }
    expect(heard).toEqual(["by unknown"]);
  });

  it("leaves the class as it was, also after a failure", async () => {
    const { adapterClass } = make([]);
    const original = adapterClass.prototype.requestDevice;
    await rejectionOf(withSubgroups(adapterClass, () => Promise.reject(new Error("no"))));
    expect(adapterClass.prototype.requestDevice).toBe(original);
  });
});

describe("the choice of a device", () => {
  const info = { vendor: "nvidia", architecture: "hopper", device: "", description: "" };
  const scope = (adapter?: Adapter | null): DeviceScope => ({
    isSecureContext: true,
    navigator: { userAgent: AGENTS.firefox, ...(adapter === undefined ? {} : { gpu: gpu(adapter) }) },
  });
  const auto = (adapter?: Adapter | null, software = false) =>
    chooseDevice("auto", scope(adapter), () => software);

  it("is a real GPU where there is one", async () => {
    expect(await auto({ info })).toEqual({ device: "webgpu", reason: "there is a GPU (hopper)" });
    expect((await auto({})).device).toBe("webgpu");
  });

  it("is the CPU where there is none, with the reason", async () => {
    for (const adapter of [undefined, null]) {
      const { device, reason } = await auto(adapter);
      expect(device).toBe("cpu");
      expect(reason).toContain("WebGPU");
    }
  });

  it("is the CPU where the GPU is imitated by it", async () => {
    const { device, reason } = await auto({ info }, true);
    expect(device).toBe("cpu");
    expect(reason).toContain("hopper");
    expect((await auto({ info: { ...info, isFallbackAdapter: true } })).device).toBe("cpu");
  });

  it("is what was asked for", async () => {
    expect(await chooseDevice("cpu", scope({ info }), () => false)).toEqual({
      device: "cpu",
      reason: "asked for",
    });
    expect((await chooseDevice("webgpu", scope({ info }), () => true)).device).toBe("webgpu");
  });
});
