// The page's half of the bench: loads a subject, asks it, and times what its caller sees.
//
// A subject is a module:
//   load(weights, options)          facts about what runs
//   ask(prompt, tokens, onToken)    greedy, so many tokens; `onToken` as each comes; { promptTokens, tokens, text }

let subject = null;

window.bench = {
  async load(module, weights, options) {
    const start = performance.now();
    subject = await import(module);
    const facts = await subject.load(new URL(weights, location.href).href, options);
    return { ms: performance.now() - start, facts };
  },

  /** `number` is of the question, so that what comes late is not taken for the next one's. */
  async ask(number, prompt, tokens) {
    let first = null;
    let last = null;
    const start = performance.now();
    const answer = await subject.ask(prompt, tokens, () => {
      last = performance.now();
      if (first !== null) return;
      first = last;
      // Not waited for: the driver reads the CPU time as it hears of it.
      window.atFirstToken(number);
    });
    if (first === null) throw new Error("no token came");
    return { ...answer, firstMs: first - start, decodeMs: last - first };
  },
};
window.ready = true;
