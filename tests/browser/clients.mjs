// Code that was written for a hosted API, and the one line of it that is changed.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "./context.mjs";

/** Lines that differ, as a diff has them. */
function diff(before, after) {
  const [a, b] = [before, after].map((text) => text.split("\n"));
  assert.equal(a.length, b.length, "no line is added or removed");
  return a.flatMap((line, i) => (line === b[i] ? [] : [`-${line}`, `+${b[i]}`]));
}

/** Loads the code of that name with its line `hosted` changed to `local`; what it gives calls the code's functions. */
export async function adopt(t, name, hosted, local) {
  const before = fs.readFileSync(path.join(root, `tests/browser/clients/${name}.mjs`), "utf8");
  const after = before.replace(hosted, local);
  assert.deepEqual(diff(before, after), [`-${hosted}`, `+${local}`]);
  t.site.put(`/clients/${name}.local.mjs`, Buffer.from(after));
  return (call, ...given) =>
    t.page.evaluate(async (url, call, given) => (await import(url))[call](...given), `/clients/${name}.local.mjs`, call, given);
}

/** The prompt is the messages' text; the marks are there for what the model's calls look like. */
export const CALLS = "{% for message in messages %}{{ message.content }}{% endfor %}{# <tool_call> #}";

/** By examples a small model learns to call a tool. */
export const EXAMPLES = `{%- macro call(name, arguments) -%}
<tool_call>{"name": "{{ name }}", "arguments": {{ arguments | tojson }}}</tool_call>
{%- endmacro -%}
Q: What is the weather like in Paris?
A: {{ call("get_weather", {"city": "Paris"}) }}
Result: Paris: 12 degrees, rain
A: It is 12 degrees and it rains in Paris.
Q: Is it warm in Cairo today?
A: {{ call("get_weather", {"city": "Cairo"}) }}
Result: Cairo: 35 degrees, sunny
A: It is 35 degrees and sunny in Cairo.
Q: Weather in Lima?
A: {{ call("get_weather", {"city": "Lima"}) }}
Result: Lima: 18 degrees, fog
A: It is 18 degrees and foggy in Lima.
{% for message in messages -%}
{%- if message.role == "user" -%}
Q: {{ message.content }}
A:
{%- elif message.role == "tool" %}
Result: {{ message.content }}
A:
{%- else %} {{ call(message.tool_calls[0].function.name, message.tool_calls[0].function.arguments) }}
{%- endif -%}
{%- endfor -%}`;

/** What the clients' schemas ask for. */
export function isEvent({ name, day, guests, ...rest }) {
  assert.ok(typeof name === "string" && [...name].length <= 12, name);
  assert.match(day, /^S(atur|un)day$/);
  assert.ok(guests.length <= 2 && guests.every((id) => Number.isInteger(id) && id >= 1 && id <= 99), `${guests}`);
  assert.deepEqual(rest, {});
}

/** Steps of all 128 answers that a client's `aborted` asks for: many times this. */
const FEW_STEPS = 4000;

/** Waits until the model has nothing more to do, which is soon: an answer that nobody hears any more goes on no further. */
export async function isIdleSoon(t) {
  const { steps: first } = await t.lab("counters");
  for (let before = first; ; ) {
    await sleep(200);
    const { steps } = await t.lab("counters");
    if (steps === before) return;
    assert.ok(steps - first < FEW_STEPS, "the work goes on though it was aborted");
    before = steps;
  }
}
