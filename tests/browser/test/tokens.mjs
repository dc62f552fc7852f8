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
  // As programs ask for it that compare texts: the prompt itself, and no token behind it, or one.
  const complete = (more) =>
    t.page.evaluate((request) => window.model.completions.create(request), { prompt: whole, echo: true, logprobs: 1, temperature: 0, ...more });
  for (const max_tokens of [0, 1]) {
    const { choices, usage } = await complete({ max_tokens });
    const { tokens: told, token_logprobs, top_logprobs, text_offset } = choices[0].logprobs;
    assert.deepEqual([told, token_logprobs, top_logprobs, text_offset].map(({ length }) => length), Array(4).fill(whole.length + max_tokens));
    assert.deepEqual([token_logprobs[0], top_logprobs[0]], [null, null]);
    close(token_logprobs.slice(1, whole.length).map((logprob) => ({ logprob })), written);
    assert.ok(top_logprobs.slice(1).every((top, ix) => Math.max(...Object.values(top)) >= token_logprobs[ix + 1]));
    // The first one is no part of the text.
    assert.equal(choices[0].text, told.slice(1).join(""));
    assert.deepEqual(text_offset.slice(0, 3), [0, 0, told[1].length]);
    assert.deepEqual([usage.prompt_tokens, usage.completion_tokens], [whole.length, max_tokens]);
  }
});
