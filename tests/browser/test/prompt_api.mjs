// The Prompt API: pages that were written for a browser's own model, with one of Puna's behind it.
import assert from "node:assert/strict";
import { CALLS } from "../clients.mjs";
import { TINY, TINY_OPTIONS } from "../context.mjs";
import { test } from "../suite.mjs";

/** On the processor, for what is shown is the same on every device. */
const OPTIONS = { ...TINY_OPTIONS, contextLength: 256, device: "cpu" };

/** What came of the scenario in prompt_api.js. */
function check(out) {
  assert.deepEqual(out.availability, ["downloadable", "available", "available"]);
  assert.equal(out.unavailable, "unavailable");
  assert.equal(out.loaded[0], 0);
  assert.equal(out.loaded.at(-1), 1);
  assert.ok(out.loaded.every((loaded, ix) => ix === 0 || loaded > out.loaded[ix - 1]), `${out.loaded}`);
  assert.deepEqual(out.event, [1, true, true]);
  assert.ok(out.isOne);

  assert.match(out.text, /^[a-z ]{12}$/);
  assert.ok(out.chunks.length > 1, "in pieces");
  assert.equal(out.chunks.join(""), out.text);
  assert.match(out.second, /^[a-z ]{12}$/);
  assert.equal(out.usage.same, out.usage.first);
  assert.ok(out.usage.second > out.usage.first, JSON.stringify(out.usage));

  for (const json of [out.json, out.prefixed]) {
    const { rating, ...rest } = JSON.parse(json);
    assert.ok(Number.isInteger(rating) && rating >= 0 && rating <= 5, json);
    assert.deepEqual(rest, {});
  }
  assert.match(out.next, /^(?:\d{3}é?|😀[^a-z]{2})$/iu);

  assert.ok(out.measured > 0);
  assert.equal(out.appended, out.measured);
  const { name, requested, quota, isDomException } = out.quota;
  assert.deepEqual([name, isDomException, quota], ["QuotaExceededError", true, out.window]);
  assert.ok(requested > quota, JSON.stringify(out.quota));
  assert.equal(out.overflows, 1, "there was room for one, and not for both");
  assert.ok(out.left <= out.window);

  for (const { name, message } of out.stopped) assert.deepEqual([name, message], ["Error", "mine"]);
  assert.equal(out.after, 12);
  assert.deepEqual([out.destroyed.name, out.destroyed.isDomException], ["AbortError", true]);
  assert.deepEqual([out.image.name, out.image.isDomException], ["NotSupportedError", true]);
  assert.ok(out.system.isTypeError);
  assert.deepEqual([out.lookahead.name, out.lookahead.isDomException], ["NotSupportedError", true]);
}

test("is there for a window", async (t) => {
  check(await t.page.evaluate(async (url, options) => (await import("/prompt_api.js")).scenario(url, options), t.url(TINY), OPTIONS));
});

// In Firefox a worker that starts another hangs now and then.
test("is there for a worker", { browsers: ["chromium"] }, async (t) => {
  const { value, error } = await t.page.evaluate(
    (url, options) =>
      new Promise((resolve) => {
        const worker = new Worker("/prompt_api_worker.js", { type: "module" });
        worker.onmessage = ({ data }) => {
          worker.terminate();
          resolve(data);
        };
        worker.onerror = ({ message }) => resolve({ error: message });
        worker.postMessage({ url, options });
      }),
    t.url(TINY),
    OPTIONS,
  );
  assert.equal(error, undefined);
  check(value);
});

// What an engine remembers differs least between browsers.
test("reads what is new alone: in a second turn, in a clone, and behind what was appended", { browsers: ["firefox"] }, async (t) => {
  await t.loadTiny({ contextLength: 512 });
  const { usages, overlaps } = await t.page.evaluate(async () => {
    const { behind } = await import("/prompt_api.js");
    const usages = [];
    const LanguageModel = behind(
      window.model,
      (request) => ({ ...request, stream_options: { include_usage: true } }),
      ({ usage }) => usage && usages.push(usage),
    );
    // In tokens that the same text has when it is read.
    const short = { responseConstraint: /There is a well\./, omitResponseConstraintInput: true };
    const session = await LanguageModel.create({
      initialPrompts: [{ role: "system", content: "Once upon a time there was a house with a garden, and in it there was a well. " }],
    });
    const { contextUsage } = session;
    await session.prompt("The cat sat there.", short);
    const clone = await session.clone();
    const forked = session.contextUsage;
    await session.prompt("And the dog?", short);
    await clone.prompt("And the bird, what did it say?", short);
    await clone.append("It was late, and all the birds were asleep in the garden behind the house.");
    const appended = clone.contextUsage;
    await clone.prompt("And then?", short);
    return { usages, overlaps: [contextUsage, forked, forked, appended] };
  });
  assert.equal(usages.length, 4);
  for (const [ix, { prompt_tokens, prompt_tokens_details }] of usages.entries()) {
    // All but the last token, which was said and never read, and what the next text joins with.
    const known = prompt_tokens_details.cached_tokens;
    assert.ok(known >= overlaps[ix] - 3 && known < prompt_tokens, `${ix}: ${known} of ${overlaps[ix]}, ${JSON.stringify(usages)}`);
  }
});

test("calls tools, and answers by what they say", { browsers: ["firefox"] }, async (t) => {
  await t.load(t.url(TINY), { chatTemplate: CALLS, device: t.device });
  const { given, answer, requests, open } = await t.page.evaluate(async () => {
    const { behind } = await import("/prompt_api.js");
    const requests = [];
    // Random weights call nothing by themselves, or whatever.
    const LanguageModel = behind(window.model, (request) => {
      requests.push(structuredClone(request));
      const tool_choice = request.messages.some(({ role }) => role === "tool") ? "none" : "required";
      return { ...request, tool_choice, parallel_tool_calls: false };
    });
    const inputSchema = { type: "object", properties: { city: { enum: ["Lima", "Oslo"] } }, required: ["city"], additionalProperties: false };
    const declared = { name: "get_weather", description: "The weather of a city.", inputSchema };
    const given = [];
    const execute = async (one) => {
      given.push(one);
      return "It is warm.";
    };
    const closed = await LanguageModel.create({ tools: [{ ...declared, execute }], samplingMode: "most-predictable" });
    const answer = await closed.prompt("Where is it warm?", { responseConstraint: /In (Lima|Oslo)\./ });
    const page = await LanguageModel.create({
      tools: [declared],
      samplingMode: "most-predictable",
      expectedInputs: [{ type: "tool-response" }],
      expectedOutputs: [{ type: "tool-call" }],
    });
    const { type, value } = (await page.prompt("Where is it warm?")).at(-1);
    return { given, answer, requests, open: { type, name: value.name, city: value.arguments.city } };
  });
  assert.equal(given.length, 1);
  assert.match(given[0].city, /^(Lima|Oslo)$/);
  assert.match(answer, /^In (Lima|Oslo)\.$/);
  const said = requests[1].messages.at(-1);
  assert.deepEqual([said.role, said.content], ["tool", "It is warm."]);
  assert.equal(said.tool_call_id, requests[1].messages.at(-2).tool_calls[0].id);
  assert.deepEqual([open.type, open.name], ["tool-call", "get_weather"]);
  assert.match(open.city, /^(Lima|Oslo)$/);
});
