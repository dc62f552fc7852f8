// What the test server says: made of the request, so that whoever asked can tell whether all of it arrived.
import crypto from "node:crypto";

/** JSON with the keys of objects in their order: two requests that ask for the same are the same text. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join()}}`;
}

/** The first letters of a request's SHA-256. */
const markOf = (body) => crypto.createHash("sha256").update(canonical(body)).digest("hex").slice(0, 12);

const reversed = (text) => [...text].reverse().join("");

const textOf = (content) => (Array.isArray(content) ? content.map(({ text }) => text ?? "").join("") : String(content ?? ""));

/** The last thing that was said. */
function lastOf({ messages, prompt, input }) {
  if (messages !== undefined) return textOf(messages.at(-1)?.content);
  return textOf(prompt ?? (Array.isArray(input) ? input.at(-1)?.content : input));
}

/** The text that answers a request: its mark, and the last thing that was said, backwards. */
export const answerTo = (body) => `${markOf(body)} ${reversed(lastOf(body))}`;

/** The vector of a text. */
export const vectorOf = (text) => [...crypto.createHash("sha256").update(text).digest().subarray(0, 8)].map((byte) => byte / 255);

/** Pieces of a few characters, none of which ends within one. */
export const piecesOf = (text) => [...text].map((_, ix, all) => (ix % 4 === 0 ? all.slice(ix, ix + 4).join("") : null)).filter((piece) => piece !== null);

const usageOf = (body, text) => {
  const [prompt_tokens, completion_tokens] = [[...lastOf(body)].length, [...text].length];
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
};

/** A chat completion, or a completion, whole. */
export function wholeAnswer(kind, body) {
  const text = answerTo(body);
  const said = kind === "chat" ? { message: { role: "assistant", content: text } } : { text };
  return {
    id: `${kind}-1`,
    object: kind === "chat" ? "chat.completion" : "text_completion",
    created: 1_700_000_000,
    model: body.model,
    choices: [{ index: 0, ...said, finish_reason: "stop" }],
    usage: usageOf(body, text),
  };
}

/** The data of a stream's events, without the last, which says that it is done. */
export function* chunksTo(kind, body) {
  const head = { id: `${kind}-1`, object: kind === "chat" ? "chat.completion.chunk" : "text_completion", created: 1_700_000_000, model: body.model };
  const chunk = (said, finish_reason) => ({ ...head, choices: [{ index: 0, ...said, finish_reason }] });
  const text = answerTo(body);
  for (const [ix, piece] of piecesOf(text).entries()) {
    yield chunk(kind === "chat" ? { delta: { ...(ix === 0 && { role: "assistant" }), content: piece } } : { text: piece }, null);
  }
  yield chunk(kind === "chat" ? { delta: {} } : { text: "" }, "stop");
  if (body.stream_options?.include_usage) yield { ...head, choices: [], usage: usageOf(body, text) };
}

/** Vectors, as numbers or as base64 of 32-bit floats. */
export function vectorsTo(body) {
  const inputs = Array.isArray(body.input) ? body.input : [body.input];
  const data = inputs.map((text, index) => {
    const vector = vectorOf(text);
    const embedding = body.encoding_format === "base64" ? Buffer.from(Float32Array.from(vector).buffer).toString("base64") : vector;
    return { object: "embedding", index, embedding };
  });
  const prompt_tokens = inputs.join("").length;
  return { object: "list", data, model: body.model, usage: { prompt_tokens, total_tokens: prompt_tokens } };
}

/** A response of OpenAI's newer wire. */
export function responseTo(body, id) {
  const text = answerTo(body);
  const content = [{ type: "output_text", text, annotations: [] }];
  const output = [{ id: `msg_${id}`, type: "message", role: "assistant", status: "completed", content }];
  const { previous_response_id = null, model } = body;
  return { id, object: "response", created_at: 1_700_000_000, status: "completed", error: null, model, previous_response_id, output };
}

/** The events of one that is streamed. */
export function* responseEvents(response) {
  let sequence_number = 0;
  const [{ id: item_id, content }] = response.output;
  yield { type: "response.created", sequence_number, response: { ...response, status: "in_progress", output: [] } };
  for (const delta of piecesOf(content[0].text)) {
    yield { type: "response.output_text.delta", sequence_number: (sequence_number += 1), item_id, output_index: 0, content_index: 0, delta };
  }
  yield { type: "response.completed", sequence_number: sequence_number + 1, response };
}

/** A message of Anthropic's wire. */
export function messageTo(body) {
  const content = [{ type: "text", text: answerTo(body) }];
  const usage = { input_tokens: lastOf(body).length, output_tokens: content[0].text.length };
  return { id: "msg_1", type: "message", role: "assistant", model: body.model, content, stop_reason: "end_turn", stop_sequence: null, usage };
}
