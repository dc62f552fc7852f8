// Texts in tokens, and how likely a model finds them.
import assert from "node:assert/strict";
import { greedy } from "../context.mjs";
import { test } from "../suite.mjs";

/** Calls a method of the loaded model. */
const ask = (t, name, ...given) =>
  t.page.evaluate((name, given) => window.model[name](...given), name, given);

test("tokens are told, counted as prompts count them, and made texts again", async (t) => {
  await t.loadTiny();
  const text = "The cat <|begin_of_text|> sat – 猫.";
  const alone = await ask(t, "tokenize", text);
  assert.equal(await ask(t, "detokenize", alone.map(({ id }) => id)), text);
  const prompt = await ask(t, "tokenize", { prompt: "The cat" });
  assert.equal(prompt[0].text, "<|begin_of_text|>", "what the model asks for in front");
  const ids = prompt.map(({ id }) => id);
  assert.equal(await ask(t, "detokenize", ids), "The cat");
  assert.equal(await ask(t, "detokenize", ids, { special: true }), "<|begin_of_text|>The cat");
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Hello there" },
  ];
  const { usage } = await t.chat({ messages, max_tokens: 1 });
  assert.equal(await ask(t, "countTokens", { messages }), usage.prompt_tokens);
});

test("a text is as likely as its tokens are when they are written", async (t) => {
  await t.loadTiny();
  const [prompt, text] = ["Once upon a time", " there was a cat."];
  const whole = (await ask(t, "tokenize", { prompt: prompt + text })).map(({ id }) => id);
  const { tokens, logprob, perplexity } = await ask(t, "score", text, { after: { prompt } });
  const given = whole.length - tokens.length;
  assert.ok(given > 0 && tokens.length > 3, `${given} of ${whole.length} are given`);
  assert.deepEqual(tokens.map(({ id }) => id), whole.slice(given));
  // Each is written once, whatever the model would rather say.
  const written = [];
  for (let at = 1; at < whole.length; at++) {
    const request = { prompt: whole.slice(0, at), max_tokens: 1, logit_bias: { [whole[at]]: 100 }, temperature: 0, logprobs: 0 };
    const { choices } = await t.page.evaluate((request) => window.model.completions.create(request), request);
    written.push(choices[0].logprobs.token_logprobs[0]);
  }
  const close = (scored, expected) =>
    scored.forEach(({ logprob }, ix) =>
      assert.ok(Math.abs(logprob - expected[ix]) < 2e-3, `${ix}: ${logprob}, not ${expected[ix]}`),
    );
  close(tokens, written.slice(given - 1));
  const sum = tokens.reduce((sum, { logprob }) => sum + logprob, 0);
  assert.ok(Math.abs(sum - logprob) < 1e-3);
  assert.ok(Math.abs(perplexity - Math.exp(-sum / tokens.length)) < 1e-2);
  // As a whole, and while an answer is made: each as alone.
  const [all, answer] = await Promise.all([ask(t, "score", prompt + text), t.chat(greedy("Hello", 60))]);
  close(all.tokens, written);
  assert.deepEqual(answer.choices[0].message, (await t.chat(greedy("Hello", 60))).choices[0].message);
  await assert.rejects(ask(t, "score", ""), /'text' has no tokens/);
});
