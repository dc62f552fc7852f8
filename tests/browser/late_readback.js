// Read-backs of the GPU that are seen late, as in a browser that looks for them on a timer.

const Plain = window.Worker;

/** In every worker that the page starts from now on, what is mapped is seen `ms` milliseconds later. */
export function delayReadbacks(ms) {
  const patch = `
    const { mapAsync } = GPUBuffer.prototype;
    GPUBuffer.prototype.mapAsync = async function (...range) {
      await mapAsync.apply(this, range);
      await new Promise((seen) => setTimeout(seen, ${ms}));
    };`;
  const script = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  window.Worker = class extends Plain {
    constructor(url, options) {
      super(script(`import "${script(patch)}"; import "${url}";`), options);
    }
  };
}
