// A page of the extension, whose folder `puna` is the package's `dist`.
import { ask } from "./ask.js";
import { listModels, load } from "./puna/index.js";

const asked = new URLSearchParams(location.search);
const shown = document.querySelector("output");
try {
  const said = await ask(load, asked.get("model"), asked.get("device"));
  const kept = (await listModels()).map(({ url, isComplete }) => ({ url, isComplete }));
  shown.textContent = JSON.stringify({ said, kept });
} catch (error) {
  shown.textContent = JSON.stringify({ error: String(error) });
}
