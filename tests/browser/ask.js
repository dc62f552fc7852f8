// What a page has a model do to show that all of the package is there: answer as it likes, and in a form. On the processor
// with two threads each of the scripts is needed for that, and three of the wasm files.

/** What the model at `address` says, and what was warned of; `load` is the package's. */
export async function ask(load, address, device = "cpu") {
  const warnings = [];
  const model = await load(address, {
    device,
    chatTemplate: "{% for message in messages %}{{ message.content }}{% endfor %}",
    advanced: device === "cpu" ? { threads: 2 } : {},
    onWarning: (message) => warnings.push(message),
  });
  const request = { messages: [{ role: "user", content: "Hello" }], temperature: 0 };
  const free = await model.chat.completions.create({ ...request, max_tokens: 12 });
  const held = await model.chat.completions.create({ ...request, puna: { regex: "(yes|no)\\." } });
  const { kind, threads = null } = model.device;
  await model.unload();
  return { kind, threads, text: free.choices[0].message.content, held: held.choices[0].message.content, warnings };
}
