// The same in a worker of the page's own.
import { scenario } from "/prompt_api.js";

self.onmessage = async ({ data: { url, options } }) => {
  try {
    self.postMessage({ value: await scenario(url, options) });
  } catch (error) {
    self.postMessage({ error: `${error.name}: ${error.message}` });
  }
};
