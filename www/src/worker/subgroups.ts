// wgpu's web backend does not know the WebGPU feature `subgroups` and leaves it out of the device request
// without a word. For as long as the engine asks for its device, that request is amended here. Nor does the engine hear of a
// device that is lost before it uses it again: who asked for it does.

/** What is patched; a parameter so that it can be tested without a browser. */
export interface AdapterClass {
  prototype: { requestDevice: (this: GPUAdapter, descriptor?: GPUDeviceDescriptor) => Promise<GPUDevice> };
}

/**
 * Runs `work` with every device request asking for subgroups where the adapter has them. `onLost` hears when a device is lost, and
 * not given back.
 */
export async function withSubgroups<T>(
  adapterClass: AdapterClass,
  work: () => Promise<T>,
  onLost: (info: GPUDeviceLostInfo) => void = () => undefined,
): Promise<T> {
  const { prototype } = adapterClass;
  const original = prototype.requestDevice;
  prototype.requestDevice = async function (descriptor) {
    const features = new Set<GPUFeatureName>(descriptor?.requiredFeatures ?? []);
    if (this.features.has("subgroups")) features.add("subgroups");
    const device = await original.call(this, { ...descriptor, requiredFeatures: [...features] });
    void device.lost.then((info) => {
      if (info.reason !== "destroyed") onLost(info);
    });
    return device;
  };
  try {
    return await work();
  } finally {
    prototype.requestDevice = original;
  }
}
