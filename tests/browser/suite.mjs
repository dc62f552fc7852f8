// The list of tests, and which of them run where.

/**
 * @typedef {object} Limits
 * @property {string[]} [browsers]  Only in these; in all, if not given.
 * @property {boolean} [full]  Only in the full run: takes minutes on a software adapter.
 * @property {number} [seconds]  How long it may take.
 */

const DEFAULT_SECONDS = 180;

/** @type {{ noun: string, name: string, limits: Limits, run: (t: import("./context.mjs").Context) => Promise<void> }[]} */
const tests = [];
let noun = "";

/** Adds a test; called by the test files. `limits` may be left out. */
export function test(name, limits, run) {
  if (typeof limits === "function") [limits, run] = [{}, limits];
  tests.push({ noun, name, limits: { seconds: DEFAULT_SECONDS, ...limits }, run });
}

/** Reads the test files of these nouns and returns the tests that belong to this run. */
export async function collect(nouns, { browser, full }) {
  for (noun of nouns) await import(`./test/${noun}.mjs`);
  return tests.filter(({ limits }) => (limits.browsers ?? [browser]).includes(browser) && (full || !limits.full));
}
