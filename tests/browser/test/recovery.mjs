// A worker that dies, and a GPU that is lost: what runs is rejected, and the next request has the model again, from what is kept.
import assert from "node:assert/strict";
import { greedy } from "../context.mjs";
import { test } from "../suite.mjs";

test("the next request starts anew from what is kept, and so does a session", { seconds: 120 }, async (t) => {
  // The workers of models: threads have another name.
  await t.page.evaluate(() => {
    const Started = window.Worker;
    window.started = [];
    window.Worker = class extends Started {
      constructor(url, options) {
        super(url, options);
        if (options?.name === "puna-worker") window.started.push(this);
      }
    };
  });
  await t.loadTiny();
  const request = greedy("Once upon a time", 12);
  const expected = (await t.chat(request)).choices[0].message.content;
  await t.page.evaluate(async () => {
    window.session = await window.model.session({ messages: [{ role: "user", content: "Once upon a time" }] });
  });
  t.host.clearLog();
  for (let round = 1; round <= 3; round++) {
    const found = await t.page.evaluate(async (request) => {
      const { model, session, started } = window;
      const stream = await model.chat.completions.create({ ...request, max_tokens: 900, stream: true });
      const { error } = await window.lab.attempt(async () => {
        for await (const chunk of stream) {
          // As where a script throws, or a process has no memory left.
          if (chunk.choices[0]?.delta.content) started.at(-1).dispatchEvent(new ErrorEvent("error", { message: "out of everything" }));
        }
      });
      const answer = await model.chat.completions.create(request);
      return { error, text: answer.choices[0].message.content, saved: (await session.save()).length, workers: started.length };
    }, request);
    assert.equal(found.error?.code, "internal", `round ${round}: ${JSON.stringify(found)}`);
    assert.match(found.error.message, /out of everything/);
    assert.equal(found.text, expected, `round ${round}`);
    assert.ok(found.saved > 1000, "what the session was is read again");
    assert.equal(found.workers, round + 1);
  }
  assert.equal(t.host.sentBytes(), 0, "the server sent no byte of a body");
  assert.match((await t.lab("warnings")).join("\n"), /loaded again: .*out of everything/);
});

test("a worker that is ended without a word is missed, and the next request starts anew", { browsers: ["chromium"], seconds: 120 }, async (t) => {
  await t.loadTiny();
  const request = greedy("Once upon a time", 12);
  const expected = (await t.chat(request)).choices[0].message.content;
  const [worker] = t.page.workers().filter((it) => /worker\.js$/.test(it.url()));
  const running = t.lab("chat", greedy("Once upon a time", 900, { stream: true }));
  await worker.evaluate(() => self.close());
  const { error } = await running;
  assert.equal(error?.code, "internal", JSON.stringify(error));
  assert.match(error.message, /ended by somebody else/);
  assert.equal((await t.chat(request)).choices[0].message.content, expected);
});

// Once in a browser: after a second crash Chromium gives no adapter any more.
test("a GPU whose process crashes is lost, and the next request starts anew on it", { browsers: ["chromium"], seconds: 120 }, async (t) => {
  await t.loadTiny({ device: "webgpu" });
  const request = greedy("Once upon a time", 12);
  const expected = (await t.chat(request)).choices[0].message.content;
  const running = t.page.evaluate(async (request) => {
    window.hasBegun = false;
    const stream = await window.model.chat.completions.create({ ...request, max_tokens: 900, stream: true });
    return window.lab.attempt(async () => {
      for await (const chunk of stream) window.hasBegun ||= Boolean(chunk.choices[0]?.delta.content);
    });
  }, request);
  await t.page.waitForFunction(() => window.hasBegun);
  const browser = await t.page.browser().target().createCDPSession();
  await browser.send("Browser.crashGpuProcess");
  const { error } = await running;
  assert.equal(error?.code, "device_lost", JSON.stringify(error));
  const answers = await Promise.all([1, 2, 3].map(() => t.chat(request)));
  for (const { choices } of answers) assert.equal(choices[0].message.content, expected);
  const warnings = await t.lab("warnings");
  assert.equal(warnings.length, 1, warnings.join("\n"));
  assert.match(warnings[0], /loaded again: the GPU was lost/);
  assert.equal(await t.page.evaluate(() => window.model.device.kind), "webgpu");
});
