// What a page that was written for the Prompt API does; in a window and in a worker.
import { languageModel } from "/package/prompt-api.js";

/** An error as plain data. */
function plain({ name, message, requested, quota }) {
  return { name, message, requested, quota };
}

/** What some work was rejected with. */
async function failure(work) {
  try {
    return { none: await work() };
  } catch (error) {
    return { ...plain(error), isDomException: error instanceof DOMException, isTypeError: error instanceof TypeError };
  }
}

async function chunksOf(stream) {
  const chunks = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
  return chunks;
}

const words = (count) => "word ".repeat(count);

/** The whole of it, and what came of it. */
export async function scenario(url, options) {
  const own = globalThis.LanguageModel;
  const LanguageModel = languageModel(url, options);
  globalThis.LanguageModel = LanguageModel;
  const out = { availability: [await LanguageModel.availability()] };
  out.unavailable = await LanguageModel.availability({ expectedInputs: [{ type: "image" }] });
  out.loaded = [];
  const session = await LanguageModel.create({
    samplingMode: "most-predictable",
    initialPrompts: [{ role: "system", content: "Once upon a time " }],
    monitor(m) {
      m.addEventListener("downloadprogress", (event) => {
        out.loaded.push(event.loaded);
        out.event = [event.total, event.lengthComputable, event instanceof ProgressEvent];
      });
    },
  });
  out.availability.push(await LanguageModel.availability());
  // What another class, as after a reload, finds in the browser's storage.
  out.availability.push(await languageModel(url, options).availability());
  out.isOne = session instanceof LanguageModel && session instanceof EventTarget;

  // Text of a bounded length, all at once and in pieces.
  const short = { responseConstraint: /^[a-z ]{12}$/, omitResponseConstraintInput: true };
  const [one, other] = [await session.clone(), await session.clone()];
  out.text = await one.prompt("there was", short);
  out.chunks = await chunksOf(other.promptStreaming("there was", short));
  out.usage = { first: one.contextUsage, same: other.contextUsage };
  out.second = await one.prompt("And then?", short);
  out.usage.second = one.contextUsage;

  // What answers are held to.
  const schema = { type: "object", properties: { rating: { type: "integer", minimum: 0, maximum: 5 } }, required: ["rating"], additionalProperties: false };
  out.json = await (await session.clone()).prompt("How?", { responseConstraint: schema });
  const prefixed = [
    { role: "user", content: "How?" },
    { role: "assistant", content: "```json\n", prefix: true },
  ];
  const fork = await session.clone();
  out.prefixed = await fork.prompt(prefixed, { responseConstraint: schema });
  out.next = await fork.prompt(prefixed, { responseConstraint: /\d{3}é?|😀[^a-z]{2}/i });

  // What is counted, and what there is no room for.
  const counted = await LanguageModel.create({ samplingMode: "most-predictable" });
  out.measured = await counted.measureContextUsage("Hello there");
  await counted.append("Hello there");
  out.appended = counted.contextUsage;
  out.window = counted.contextWindow;
  // Most of what there is room for.
  const most = Math.floor((0.6 * out.window) / ((await counted.measureContextUsage(words(100))) / 100));
  out.quota = await failure(() => counted.prompt(words(2 * most)));
  out.overflows = 0;
  counted.oncontextoverflow = () => (out.overflows += 1);
  await counted.append(words(most));
  out.overflows *= 10;
  await counted.append(words(most));
  out.left = counted.contextUsage;

  // What is stopped.
  const abort = new AbortController();
  const mine = new Error("mine");
  const reader = counted.promptStreaming("a", { signal: abort.signal }).getReader();
  await reader.read();
  const waiting = failure(() => counted.prompt("b", { signal: abort.signal }));
  abort.abort(mine);
  out.stopped = [await failure(() => reader.read()), await waiting];
  const cancelled = counted.promptStreaming("a").getReader();
  await cancelled.read();
  await cancelled.cancel();
  out.after = (await counted.prompt("c", short)).length;
  counted.destroy();
  out.destroyed = await failure(() => counted.prompt("d"));
  out.image = await failure(() => session.prompt([{ role: "user", content: [{ type: "image", value: new Blob([]) }] }]));
  out.system = await failure(() => session.prompt([{ role: "system", content: "a" }]));
  out.lookahead = await failure(() => session.prompt("a", { responseConstraint: /a(?=b)/ }));
  globalThis.LanguageModel = own;
  return out;
}

/** A class behind which a loaded model is asked what `change` makes of each request; `hear` gets each chunk of its answers. */
export function behind(model, change, hear = () => {}) {
  const { info, ended } = model;
  const create = async (request, options) => {
    const stream = await model.chat.completions.create(change(request), options);
    return (async function* () {
      for await (const chunk of stream) {
        hear(chunk);
        yield chunk;
      }
    })();
  };
  return languageModel({
    info,
    ended,
    chat: { completions: { create } },
    session: (...given) => model.session(...given),
    countTokens: (source) => model.countTokens(source),
  });
}
