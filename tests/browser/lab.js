// The page's half of the tests: calls the built package and gives back plain data, errors included.
import * as puna from "/package/index.js";
import { delayReadbacks } from "/late_readback.js";

let model = null;
let warnings = [];

/** What of an error crosses to the test; `instanceof` can only be asked here. */
function plain(error) {
  const { name, message, code, details, type, param } = error;
  return { name, message, code, details, type, param, isPunaError: error instanceof puna.PunaError, isError: error instanceof Error };
}

/** Runs `work`; its value as `value`, or its error as `error`. */
async function attempt(work) {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: plain(error) };
  }
}

window.lab = {
  puna,
  attempt,

  /** Loads a model and keeps it. With `abortAtBytes` the load is aborted when so many bytes are there. */
  async load(source, options = {}, { abortAtBytes = Infinity } = {}) {
    const events = [];
    const abort = new AbortController();
    warnings = [];
    const start = performance.now();
    const result = await attempt(async () => {
      model = window.model = await puna.load(source, {
        ...options,
        signal: abort.signal,
        onWarning: (message) => warnings.push(message),
        onProgress(event) {
          events.push({ ...event, atMs: performance.now() - start });
          if (event.loadedBytes >= abortAtBytes) abort.abort();
        },
      });
      return model.info;
    });
    return { ...result, events, ms: performance.now() - start };
  },

  /** Loads bytes that the test made, as a file that a person picked. */
  async loadBytes(base64, options = {}) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    return window.lab.load(new Blob([bytes]), options);
  },

  /** Loads files of these addresses, as a person picked them. */
  async loadFiles(urls, options = {}) {
    const files = urls.map(async (url) => {
      const bytes = await (await fetch(url)).arrayBuffer();
      return new File([bytes], new URL(url).pathname.split("/").at(-1));
    });
    return window.lab.load(await Promise.all(files), options);
  },

  /** Makes vectors of texts. */
  async embed(request, { abort = false } = {}) {
    const controller = new AbortController();
    const work = attempt(() => model.embeddings.create(request, { signal: controller.signal }));
    if (abort) controller.abort();
    return work;
  },

  /**
   * Asks the model. `value` is the completion, or the chunks of a stream with the time of each; `leaveAfter` leaves the
   * stream's loop after so many chunks, `abortAfter` aborts the request then.
   */
  async chat(request, { leaveAfter = Infinity, abortAfter = Infinity } = {}) {
    const abort = new AbortController();
    const chunks = [];
    const times = [];
    const result = await attempt(async () => {
      const answer = await model.chat.completions.create(request, { signal: abort.signal });
      if (!request.stream) return answer;
      for await (const chunk of answer) {
        chunks.push(chunk);
        times.push(performance.now());
        if (chunks.length >= leaveAfter) break;
        if (chunks.length >= abortAfter) abort.abort();
      }
      return null;
    });
    return { ...result, chunks, times };
  },

  counters: () => model.counters(),

  /** From the next load on every read-back of the GPU is seen so much later. */
  delayReadbacks,

  /** What was warned of since the last load began. */
  warnings: () => warnings,

  async unload() {
    const done = await attempt(() => model.unload());
    return done;
  },

  /** Every file that the origin keeps, with its size. */
  async stored() {
    const files = [];
    const walk = async (folder, path) => {
      for await (const [name, handle] of folder.entries()) {
        if (handle.kind === "directory") await walk(handle, `${path}${name}/`);
        else files.push({ path: path + name, bytes: (await handle.getFile()).size });
      }
    };
    await walk(await navigator.storage.getDirectory(), "");
    return files;
  },
};
window.ready = true;
