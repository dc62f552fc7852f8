// Files that are no model, or not one that runs here: refused by code, naming the thing, without harm.
import assert from "node:assert/strict";
import fs from "node:fs";
import { greedy, TINY, TINY_OPTIONS } from "../context.mjs";
import { GgufBytes } from "../gguf.mjs";
import { test } from "../suite.mjs";

const tiny = () => new GgufBytes(TINY.file);
const HUGE = 2n ** 60n;

/** What the file is, its bytes, the code it gets, and what the message must name. */
const FILES = [
  ["an empty file", () => Buffer.alloc(0), "bad_model_file", /./],
  ["a text", () => Buffer.from("<!doctype html><title>Not found</title>".repeat(50)), "bad_model_file", /GGUF/],
  ["a file cut in the header", () => tiny().bytes.subarray(0, 4000), "bad_model_file", /./],
  ["a file cut in the weights", () => tiny().bytes.subarray(0, 200_000), "bad_model_file", /./],
  ["an unknown version", () => tiny().u32(4, 99).bytes, "unsupported_model", /99/],
  ["an absurd count of tensors", () => tiny().u64(GgufBytes.TENSOR_COUNT, HUGE).bytes, "bad_model_file", /tensor/],
  ["an absurd count of values", () => tiny().u64(GgufBytes.VALUE_COUNT, HUGE).bytes, "bad_model_file", /./],
  ["an absurd length of a string", () => edit((file) => file.u64(file.values.get("general.architecture"), HUGE)), "bad_model_file", /./],
  ["a tensor past the end", () => edit((file) => file.u64(tensor(file).offset, 2 ** 40)), "bad_model_file", /token_embd\.weight/],
  ["a tensor of absurd shape", () => edit((file) => file.u64(tensor(file).dims, HUGE)), "bad_model_file", /token_embd\.weight/],
  ["a tensor of another shape", () => edit((file) => file.u64(tensor(file).dims + 8, 320)), "bad_model_file", /token_embd\.weight|vocab/],
  ["an unknown type of tensor", () => edit((file) => file.u32(tensor(file).type, 9999)), "unsupported_model", /token_embd\.weight.*9999|9999.*token_embd\.weight/],
  ["another architecture", () => tiny().string("general.architecture", "lmaal").bytes, "unsupported_model", /lmaal/],
];

function tensor(file) {
  return file.tensors.get("token_embd.weight");
}

function edit(change) {
  const file = tiny();
  change(file);
  return file.bytes;
}

test("each gets its code over the network, and a good file loads afterwards", async (t) => {
  for (const [what, make, code, names] of FILES) {
    const url = t.host.put(`/bad/${what.replaceAll(" ", "_")}.gguf`, make());
    const error = await t.loadError(url, TINY_OPTIONS);
    assert.equal(error.code, code, `${what}: ${JSON.stringify(error)}`);
    assert.match(error.message, names, what);
    assert.ok(error.isPunaError, what);
  }
  await t.loadTiny();
  assert.ok((await t.chat(greedy("Hello", 4))).usage.completion_tokens > 0);
});

test("each gets its code as a file at hand", async (t) => {
  for (const [what, make, code] of FILES) {
    const result = await t.lab("loadBytes", make().toString("base64"), { device: t.device, ...TINY_OPTIONS });
    assert.equal(result.error?.code, code, `${what}: ${JSON.stringify(result.error)}`);
  }
});

test("a bad chat template is refused, and one that fails names its own message", async (t) => {
  const error = await t.loadError(t.url(TINY), { chatTemplate: "{% for" });
  assert.equal(error.code, "invalid_request", JSON.stringify(error));
  await t.loadTiny({ chatTemplate: "{{ raise_exception('no system here') }}" });
  const refused = await t.chatError(greedy("Hello", 4));
  assert.match(refused.message, /no system here/);
  assert.equal(refused.code, "invalid_request", JSON.stringify(refused));
});

test("no bad file is kept", async (t) => {
  const bytes = fs.readFileSync(TINY.file);
  const url = t.host.put("/changing.gguf", Buffer.from("not a model".repeat(100)));
  await t.loadError(url, TINY_OPTIONS);
  t.host.put("/changing.gguf", bytes);
  await t.load(url, TINY_OPTIONS);
});
