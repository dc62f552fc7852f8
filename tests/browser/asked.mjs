// Pages that have a model answer (ask.js), and what must come of it.
import assert from "node:assert/strict";
import { TINY } from "./context.mjs";

/** What the model says in `page`, by the package whose index.js is at `index`; or the error's code and message. */
export function askIn(page, index, address, device = "cpu") {
  return page.evaluate(
    async (index, address, device) => {
      try {
        const [{ load }, { ask }] = await Promise.all([import(index), import("/ask.js")]);
        return await ask(load, address, device);
      } catch (error) {
        return { error: { code: error.code, message: error.message, reason: error.details?.reason } };
      }
    },
    index,
    address,
    device,
  );
}

/** What it says by the package as it lies on the page's own origin. */
export async function expected(t) {
  const said = await askIn(t.page, "/package/index.js", t.url(TINY));
  isWhole(said);
  return said;
}

/** Both answers are there, and nothing was missing. */
export function isWhole({ text, held, ...rest }, device = "cpu") {
  assert.deepEqual(rest, { kind: device, threads: device === "cpu" ? 2 : null, warnings: [] });
  assert.ok(text.length > 0);
  assert.match(held, /^(yes|no)\.$/);
}
