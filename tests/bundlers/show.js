import { ask } from "../browser/ask.js";

/** What the model whose address stands in the page's says, or why it does not, as JSON. */
export async function said(load) {
  try {
    return JSON.stringify(await ask(load, new URLSearchParams(location.search).get("model")));
  } catch (error) {
    return JSON.stringify({ error: String(error) });
  }
}

/** Shows it in an element. */
export async function show(element, load) {
  element.textContent = await said(load);
}
