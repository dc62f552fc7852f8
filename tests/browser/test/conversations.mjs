// Conversations of one model: each goes on from where it was, whoever spoke meanwhile.
import assert from "node:assert/strict";
import { greedy, REAL } from "../context.mjs";
import { test } from "../suite.mjs";

const SYSTEM = { role: "system", content: "You are a polite guide to the old town of Lisbon, and answer in a few words, as people on holiday like it." };
const QUESTIONS = ["Where do I begin?", "And then?", "What is there to eat?", "Is it far?", "How old is it?", "Who built it?", "Can I walk?", "Is it safe?", "What does it cost?", "Thank you!"];

/** A chat that is asked one thing after the other; what each turn took. */
class Chat {
  constructor(t, messages = [SYSTEM]) {
    this.t = t;
    this.messages = messages;
    this.usage = null;
  }

  async ask(content, more = {}) {
    this.messages.push({ role: "user", content });
    const { choices, usage } = await this.t.chat({ messages: this.messages, temperature: 0, max_tokens: 6, ...more });
    this.messages.push({ role: "assistant", content: choices[0].message.content });
    const before = this.usage;
    this.usage = usage;
    return { text: choices[0].message.content, before, ...usage, cached: usage.prompt_tokens_details.cached_tokens };
  }

  /** Another that goes on from here. */
  fork() {
    const fork = new Chat(this.t, [...this.messages]);
    fork.usage = this.usage;
    return fork;
  }
}

/** What of a turn's prompt the model has read or said before: all but the last token that it said, which was never read. */
const known = ({ before }) => before.prompt_tokens + before.completion_tokens - 1;

for (const isCpu of [true, false]) {
  // A software adapter takes its time for a real model.
  const limits = { seconds: 900, full: !isCpu };
  test(`ten turns read what is new, ten forks share what is old, on ${isCpu ? "the processor" : "the device"}`, limits, async (t) => {
    const device = isCpu ? "cpu" : t.device;
    await t.load(t.url(REAL), { device });
    const chat = new Chat(t);
    const turns = [];
    for (const question of QUESTIONS) turns.push(await chat.ask(question));
    assert.equal(turns[0].cached, 0);
    for (const turn of turns.slice(1)) assert.equal(turn.cached, known(turn), JSON.stringify(turn));
    const forks = [];
    for (const question of QUESTIONS) {
      const fork = chat.fork();
      const turn = await fork.ask(`${question} ${question}`);
      assert.ok(turn.cached >= known(turn), JSON.stringify(turn));
      forks.push({ fork, text: turn.text });
    }
    // The last ones are still known, and the chat that they are forks of.
    for (const { fork } of forks.slice(-2)) {
      const turn = await fork.ask("Why?");
      assert.equal(turn.cached, known(turn), JSON.stringify(turn));
    }
    // As if nobody else had spoken.
    await t.load(t.url(REAL), { device });
    const alone = new Chat(t, forks[3].fork.messages.slice(0, -1));
    const { choices } = await t.chat({ messages: alone.messages, temperature: 0, max_tokens: 6 });
    assert.equal(choices[0].message.content, forks[3].text);
  });
}

test("two chats by turns keep what each has read, and share the beginning", async (t) => {
  await t.loadTiny({ contextLength: 512 });
  const say = async (content) => {
    const { choices, usage } = await t.chat(greedy(content, 4));
    return { text: choices[0].message.content, cached: usage.prompt_tokens_details.cached_tokens, prompt: usage.prompt_tokens };
  };
  const system = "Once upon a time there was a house with a garden, and in the garden there was a well. ";
  const alone = [];
  for (const end of ["The cat sat there all the day long.", "A dog came by with its friend at noon."]) {
    await t.loadTiny({ contextLength: 512 });
    alone.push((await say(system + end)).text, (await say(`${system}${end} And then?`)).text);
  }
  await t.loadTiny({ contextLength: 512 });
  const a = `${system}The cat sat there all the day long.`;
  const b = `${system}A dog came by with its friend at noon.`;
  const first = await say(a);
  const second = await say(b);
  assert.equal(first.cached, 0);
  assert.ok(second.cached > 15 && second.cached < second.prompt - 5, JSON.stringify(second));
  const third = await say(`${a} And then?`);
  const fourth = await say(`${b} And then?`);
  assert.ok(third.cached >= first.prompt - 2, JSON.stringify({ first, third }));
  assert.ok(fourth.cached >= second.prompt - 2, JSON.stringify({ second, fourth }));
  assert.deepEqual([first, third, second, fourth].map(({ text }) => text), alone);
});

/** The texts of several requests that are made at the same time, and in which order their pieces came. */
const together = (t, requests) =>
  t.page.evaluate(async (requests) => {
    const order = [];
    const texts = await Promise.all(
      requests.map(async (request, number) => {
        const stream = await window.model.chat.completions.create({ ...request, stream: true });
        let text = "";
        for await (const { choices } of stream) {
          const piece = choices[0]?.delta.content ?? "";
          if (piece !== "") order.push(number);
          text += piece;
        }
        return text;
      }),
    );
    return { texts, order };
  }, requests);

test("what is asked to be kept stays, and what is asked to be dropped does not", { seconds: 300 }, async (t) => {
  await t.loadTiny({ contextLength: 256 });
  const ask = async (content, cache) => {
    const puna = cache === undefined ? null : { cache };
    return (await t.chat(greedy(content, 4, { puna }))).usage.prompt_tokens_details.cached_tokens;
  };
  const story = (of) => `A story of ${of}: ${"once upon a time, and then again, ".repeat(2)}`;
  assert.equal(await ask(story("a secret"), "drop"), 0);
  assert.ok((await ask(story("a secret"), "drop")) < 8, "it is gone");
  await ask(story("the rules"), "keep");
  // More than there are rows for, of the kind that is used once.
  const others = ["cats", "dogs", "owls", "ants", "bees", "emus", "newts", "seals", "toads", "yaks", "hens", "elks"];
  for (const other of others) await ask(`${other} ${story(other)}`);
  assert.ok((await ask(`${others[0]} ${story(others[0])}`)) < 8, "the first is given up");
  assert.ok((await ask(`${story("the rules")} And so on.`)) > 40, "what was to be kept is not");
  const { error } = await t.lab("chat", greedy("Hi", 4, { puna: { cache: "none" } }));
  assert.equal(error.details.param, "puna.cache");
});

test("four at the same time give what each gives alone, by turns", { seconds: 300 }, async (t) => {
  for (const device of [t.device, "cpu"]) {
    await t.loadTiny({ device });
    const requests = [
      greedy("Once upon a time", 60),
      { messages: [{ role: "user", content: "The house is" }], temperature: 1.1, seed: 11, max_tokens: 90, frequency_penalty: 0.4, top_p: 0.9 },
      { messages: [{ role: "user", content: "Hello" }], temperature: 1.3, seed: 5, max_tokens: 60, puna: { regex: "[a-z ]{30,60}" } },
      { messages: [{ role: "user", content: "In the garden there was a well, and in the well ".repeat(6) }], temperature: 0, max_tokens: 80, logprobs: true },
    ];
    const alone = [];
    for (const request of requests) alone.push((await t.chat(request)).choices[0].message.content);
    for (let round = 0; round < 2; round += 1) {
      const { texts, order } = await together(t, requests);
      assert.deepEqual(texts, alone, device);
      // Nobody waits for another's end.
      for (let number = 0; number < requests.length; number += 1) {
        assert.ok(order.indexOf(number) < 60, `${number} begins at ${order.indexOf(number)}`);
      }
      const changes = order.filter((number, at) => at > 0 && order[at - 1] !== number).length;
      assert.ok(changes >= 12, `${changes} changes in ${order.join("")}`);
    }
    // More than there is room for.
    const { texts } = await together(t, [...requests, ...requests, ...requests]);
    assert.deepEqual(texts, [...alone, ...alone, ...alone], device);
    // Those that can share their steps.
    const alike = ["Once upon a time", "The house is", "Hello", "In the garden"].map((prompt, seed) => ({ ...greedy(prompt, 60), temperature: 0.9, seed, logit_bias: { 383: -100 } }));
    const each = [];
    for (const request of alike) each.push((await t.chat(request)).choices[0].message.content);
    const steps = async () => (await t.page.evaluate(() => window.model.counters())).steps;
    const share = async (what, work) => {
      const before = await steps();
      const tokens = await work();
      const taken = (await steps()) - before;
      assert.ok(taken < tokens * 0.6, `${taken} steps for ${tokens} tokens of ${what} on ${device}`);
    };
    await share("four requests", async () => {
      assert.deepEqual((await together(t, alike)).texts, each, device);
      return 4 * 60;
    });
    // And the answers of one request, which read their prompt once.
    await share("four answers", async () => {
      const { choices, usage } = await t.chat({ ...alike[3], n: 4 });
      assert.deepEqual(choices.map(({ index }) => index), [0, 1, 2, 3]);
      assert.equal(choices[0].message.content, each[3], device);
      assert.equal(new Set(choices.map(({ message }) => message.content)).size, 4, "each by a seed of its own");
      assert.ok(usage.completion_tokens > 100, `${usage.completion_tokens} tokens`);
      return usage.completion_tokens;
    });
  }
});

test("answers that the cache has no room for wait until it has, and none fails", async (t) => {
  await t.loadTiny({ contextLength: 96 });
  const long = (prompt, more = {}) => ({ ...greedy(prompt, 60), temperature: 0.9, seed: 3, logit_bias: { 383: -100 }, ...more });
  const requests = [long("Hello"), long("The house is"), long("Once upon a time"), long("In the garden")];
  const alone = [];
  for (const request of requests) alone.push((await t.chat(request)).choices[0].message.content);
  const texts = await t.page.evaluate(async (requests) => {
    const [several, ...others] = requests;
    // Four conversations fill the cache: those of the first request are that many.
    const work = [window.model.chat.completions.create({ ...several, n: 4 })];
    await window.model.counters();
    work.push(...others.map((request) => window.model.chat.completions.create(request)));
    return (await Promise.all(work)).map(({ choices }) => choices[0].message.content);
  }, requests);
  assert.deepEqual(texts, alone);
});

test("a request that is stopped among others leaves them alone, and so does one that fails", async (t) => {
  await t.loadTiny();
  const plain = greedy("Once upon a time", 40);
  const expected = (await t.chat(plain)).choices[0].message.content;
  const settled = await t.page.evaluate(async (plain) => {
    const abort = new AbortController();
    // As soon as it says something: after any time a fast machine is through.
    const stopped = async () => {
      const request = { ...plain, max_tokens: 900, logit_bias: { 383: -100 }, stream: true };
      for await (const chunk of await window.model.chat.completions.create(request, { signal: abort.signal })) {
        if (chunk.choices[0]?.delta.content) abort.abort();
      }
      return { choices: [{ message: { content: "it was not stopped" } }] };
    };
    const work = [
      window.model.chat.completions.create(plain),
      stopped(),
      window.model.chat.completions.create({ ...plain, temperature: 7 }),
      window.model.chat.completions.create(plain),
    ];
    const all = await Promise.allSettled(work);
    return all.map(({ value, reason }) => value?.choices[0].message.content ?? reason.name);
  }, plain);
  assert.deepEqual(settled, [expected, "AbortError", "InvalidRequestError", expected]);
  assert.equal((await t.chat(plain)).choices[0].message.content, expected);
});

test("a beginning is read ahead, saved, and restored, on another device too", { seconds: 400 }, async (t) => {
  const rules = "Once upon a time there was a house with a garden, and in the garden there was a well. ";
  const ask = async () => {
    const { choices, usage } = await t.chat(greedy(`${rules}What did the cat say?`, 8));
    return { text: choices[0].message.content, cached: usage.prompt_tokens_details.cached_tokens };
  };
  const restore = (key) => t.page.evaluate(async (key) => (await window.model.session(window.saved[key])).tokens, key);
  for (const device of ["cpu", t.device]) {
    await t.loadTiny({ device });
    const { text } = await ask();
    await t.loadTiny({ device });
    const read = await t.page.evaluate(async (rules, device) => {
      const beginning = { messages: [{ role: "user", content: rules }] };
      const session = await window.model.session(beginning);
      const again = await window.model.session(beginning);
      const [f16, q8] = [await session.save(), await session.save({ precision: "q8" })];
      window.saved = { ...window.saved, [device]: f16, q8 };
      return { tokens: session.tokens, cached: session.cachedTokens, again: again.cachedTokens, f16: f16.length, q8: q8.length };
    }, rules, device);
    assert.equal(read.cached, 0);
    assert.equal(read.again, read.tokens, "nothing is read again");
    assert.ok(read.q8 < 0.6 * read.f16, JSON.stringify(read));
    const goesOn = ({ cached }) => assert.ok(cached >= read.tokens - 2, `${cached} of ${read.tokens}`);
    const first = await ask();
    goesOn(first);
    assert.equal(first.text, text);
    // By another device's arithmetic, or in 8 bits, an answer of random weights may well be another.
    for (const [key, isSame] of [[device, true], ["cpu", device === "cpu"], ["q8", false]]) {
      await t.loadTiny({ device });
      assert.equal(await restore(key), read.tokens);
      const answer = await ask();
      goesOn(answer);
      if (isSame) assert.equal(answer.text, text, `${key} on ${device}`);
    }
  }
});

test("a cache in 8 bits is shared, saved and restored like any other", { seconds: 300 }, async (t) => {
  const cache = { kvCache: "q8", device: t.device };
  const rules = "Once upon a time there was a house with a garden, and in the garden there was a well. ";
  const ask = async (question) => {
    const { choices, usage } = await t.chat(greedy(rules + question, 8));
    return { text: choices[0].message.content, cached: usage.prompt_tokens_details.cached_tokens };
  };
  const questions = ["What did the cat say?", "Who lives in the well?"];
  const alone = [];
  for (const question of questions) {
    await t.loadTiny(cache);
    alone.push((await ask(question)).text);
  }
  const tokens = await t.page.evaluate(async (rules) => {
    const session = await window.model.session({ messages: [{ role: "user", content: rules }] });
    window.saved = { ...window.saved, inEight: await session.save() };
    return session.tokens;
  }, rules);
  const goesOn = async () => {
    for (const [ix, question] of questions.entries()) {
      const { text, cached } = await ask(question);
      assert.equal(text, alone[ix], question);
      assert.ok(cached >= tokens - 2, `${cached} of ${tokens}`);
    }
  };
  await goesOn();
  await t.loadTiny(cache);
  const restored = await t.page.evaluate(async () => (await window.model.session(window.saved.inEight)).tokens);
  assert.equal(restored, tokens);
  await goesOn();
});

test("bytes that are no session of this model are refused, and harm nothing", async (t) => {
  await t.loadTiny({ device: "cpu" });
  const expected = (await t.chat(greedy("Hello", 6))).choices[0].message.content;
  const outcome = await t.page.evaluate(async (other) => {
    const refused = async (change) => {
      const { error } = await window.lab.attempt(async () => window.model.session(await change()));
      return error && [error.code, error.message];
    };
    const bytes = await (await window.model.session({ prompt: "The cat sat on the mat, and the dog ran to the door." })).save();
    const changed = (at, value) => {
      const copy = bytes.slice();
      copy[at] = value;
      return copy;
    };
    const outcome = {
      empty: await refused(() => new Uint8Array()),
      text: await refused(() => new TextEncoder().encode("GGUF and so on, for a while")),
      short: await refused(() => bytes.slice(0, -3)),
      flipped: await refused(() => changed(bytes.length - 40, bytes.at(-40) ^ 4)),
      tokens: await refused(() => changed(33, 0xff)),
      none: await refused(() => ({})),
      good: await refused(() => bytes),
    };
    // The same shape, other weights.
    await window.lab.load(other, { device: "cpu", chatTemplate: "{{ messages[0].content }}" });
    outcome.other = await refused(() => bytes);
    return outcome;
  }, `${t.host.origin}/golden/tiny/llama3/`);
  assert.match(outcome.empty[1], /no saved conversation/);
  assert.match(outcome.text[1], /no saved conversation/);
  assert.match(outcome.short[1], /cut short/);
  assert.equal(outcome.flipped[0], "integrity");
  assert.equal(outcome.tokens[0], "integrity");
  assert.match(outcome.none[1], /messages/);
  assert.equal(outcome.good, undefined);
  assert.match(outcome.other[1], /another model/);
  await t.loadTiny({ device: "cpu" });
  assert.equal((await t.chat(greedy("Hello", 6))).choices[0].message.content, expected);
});
