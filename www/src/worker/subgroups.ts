// wgpu's web backend does not know the WebGPU feature `subgroups` and leaves it out of the device request
// without a word. For as long as the engine asks for its device, that request is amended here.

/** What is patched; a parameter so that it can be tested without a browser. */
export interface AdapterClass {
  prototype: { requestDevice: (this: GPUAdapter, descriptor?: GPUDeviceDescriptor) => Promise<GPUDevice> };
}

/** Runs `work` with every device request asking for subgroups where the adapter has them. */
export async function withSubgroups<T>(adapterClass: AdapterClass, work: () => Promise<T>): Promise<T> {
  const { prototype } = adapterClass;
  const original = prototype.requestDevice;
  prototype.requestDevice = function (descriptor) {
    const features = new Set<GPUFeatureName>(descriptor?.requiredFeatures ?? []);
    if (this.features.has("subgroups")) features.add("subgroups");
    return original.call(this, { ...descriptor, requiredFeatures: [...features] });
  };
  try {
    return await work();
  } finally {
    prototype.requestDevice = original;
  }
}
