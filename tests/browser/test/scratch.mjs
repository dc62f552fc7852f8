import { test } from "../suite.mjs";
test("try", async (t) => {
  await t.loadTiny();
  const out = await t.page.evaluate(async () => {
    const ask = async (more, content = "Hello") => {
      const r = await window.lab.attempt(() => window.model.chat.completions.create({ messages: [{ role: "user", content }], temperature: 0, max_tokens: 24, ...more }));
      return r.error ? [r.error.code, r.error.message, r.error.details] : [r.value.choices[0].message.content, r.value.choices[0].finish_reason, r.value.usage.prompt_tokens, r.value.usage.prompt_tokens_details.cached_tokens];
    };
    const res = {};
    res.free = await ask({});
    res.hex = await ask({ puna: { regex: "[\\x{41}-\\x{5a}]{3}" } });
    res.u = await ask({ puna: { regex: "[\\u{41}-\\u{5a}\\u{10000}-\\u{10ffff}]{3}" } });
    res.neg = await ask({ puna: { regex: "[\\x{0}-\\x{2b}\\x{2d}-\\x{ffff}]{5}" } });
    res.prefix = await ask({ puna: { regex: "Once upon (?s:.*)" } });
    res.prefix2 = await ask({ puna: { regex: "Once upon [\\x{0}-\\x{10ffff}]*" } });
    res.cross = await ask({ puna: { grammar: { syntax: "lark", definition: 'start: T\nT: /gre[a-z]{5}/ & /greet(?s:.*)/' } } });
    res.cross2 = await ask({ puna: { grammar: { syntax: "lark", definition: 'start: T\nT: /gre[a-z]{5}/ & /other(?s:.*)/' } } });
    res.cross3 = await ask({ puna: { regex: "(?:gre[a-z]{5})&(?:greet.*)" } });
    res.empty = await ask({ puna: { regex: "" } });
    res.slash = await ask({ puna: { regex: "\\x{2f}[\\x{5c}\\x{2f}]\\x{22}" } });
    res.nul = await ask({ puna: { regex: "a\\x{0a}b" } });
    res.schema = await ask({ response_format: { type: "json_schema", json_schema: { name: "x", schema: { type: "object", required: ["Rating"], additionalProperties: false, properties: { Rating: { type: "number", minimum: 0, maximum: 5 } } } } } });
    res.badschema = await ask({ response_format: { type: "json_schema", json_schema: { name: "x", schema: { type: "strin" } } } });
    res.free2 = await ask({ response_format: { type: "json_schema", json_schema: { name: "x", schema: {  properties: { Rating: { type: "number", minimum: 0, maximum: 5 } } } } } });
    res.two = await ask({ messages: [{ role: "system", content: "a" }, { role: "user", content: "b" }, { role: "user", content: "c" }, { role: "assistant", content: "d" }] });
    res.tools = await ask({ tools: [{ type: "function", function: { name: "x", description: "y", parameters: { type: "object" } } }] });
    res.cons = await ask({ puna: { regex: "Once(?s:.*)" }, temperature: 1.3, seed: 3, max_tokens: 400 });
    return res;
  });
  console.log(JSON.stringify(out, null, 1));
});
