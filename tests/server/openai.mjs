// A server that speaks OpenAI's API, on loopback, for tests: it counts what comes, preflights too, answers by what it was asked,
// and fails on request. It lives in the test's own process.
import http from "node:http";
import { answerTo, chunksTo, messageTo, responseEvents, responseTo, vectorsTo, wholeAnswer } from "./openai_answer.mjs";

export { answerTo, vectorOf } from "./openai_answer.mjs";

//   { kind: "status", status, body, headers }   an error status
//   { kind: "refuse" }                          the connection closes without an answer
//   { kind: "hang" }                            no answer, ever
//   { kind: "page" }                            a page of HTML, as of a server that answers everything with its site
//   { kind: "redirect", location }              to somewhere else
//   { kind: "cut", after }                      the connection closes after so many events of a stream
//   { kind: "end", after }                      a stream ends after so many events, as if that were all
//   { kind: "error", after, error }             a stream's last event is an error
//   { kind: "hold", after }                     a stream goes on when `release` is called, or never
//
// With `isHeld: true` what happens to a stream waits for `release`, too: some browsers drop what came at once with the end.
const KINDS = ["status", "refuse", "hang", "page", "redirect", "cut", "end", "error", "hold"];

const CORS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "accept, authorization, content-type, x-test",
  "Access-Control-Allow-Methods": "GET, POST, DELETE",
  "Cross-Origin-Resource-Policy": "cross-origin",
};

/**
 * @typedef {object} Entry  A request, as it went.
 * @property {string} method
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {unknown} body  In JSON.
 * @property {number} events  Of a stream, those that were sent.
 * @property {boolean} isLeft  Whether the client went before the end.
 */
export class OpenAiServer {
  /** @type {Entry[]} Every request since the start or the last `clear`, preflights too. */
  log = [];
  #apiKey;
  #faults = [];
  #held = [];
  #responses = new Map();
  #server = null;
  #port = 0;

  /** With a key, requests need it. */
  constructor({ apiKey = null } = {}) {
    this.#apiKey = apiKey;
  }

  /** Listens: the first time on any free port, later on the same one. */
  async start() {
    this.#server = http.createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    await new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = this.#server.address().port;
    return this;
  }

  async stop() {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  get baseURL() {
    return `http://127.0.0.1:${this.#port}/v1`;
  }

  /** Requests that ask for something: without preflights. */
  get requests() {
    return this.log.filter(({ method }) => method !== "OPTIONS");
  }

  /** The next `times` requests fail so; all, if not given. */
  fail({ kind, times = Infinity, ...facts }) {
    if (!KINDS.includes(kind)) throw new Error(`no fault "${kind}"; there are ${KINDS.join(", ")}`);
    this.#faults.push({ kind, left: times, ...facts });
  }

  /** Streams that are held go on. */
  release() {
    for (const go of this.#held.splice(0)) go();
  }

  /** No more faults, and nothing in the log. */
  clear() {
    this.#faults = [];
    this.log = [];
  }

  async #answer(request, response) {
    const { pathname } = new URL(request.url, "http://x");
    const text = await bodyOf(request);
    const entry = { method: request.method, path: pathname, headers: request.headers, body: parsed(text), events: 0, isLeft: false };
    this.log.push(entry);
    response.once("close", () => (entry.isLeft = !response.writableFinished));
    const json = (status, body, headers = {}) => {
      response.writeHead(status, { ...CORS, "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
    };
    const refuse = (status, code, message, param = null) => json(status, { error: { message, type: "invalid_request_error", param, code } });
    if (request.method === "OPTIONS") return void response.writeHead(204, CORS).end();

    const fault = this.#faults.find(({ left }) => left > 0) ?? { kind: "none" };
    fault.left -= 1;
    switch (fault.kind) {
      case "hang":
        return;
      case "refuse":
        return void response.destroy();
      case "status":
        return json(fault.status, fault.body ?? { error: { message: `status ${fault.status}`, type: "server_error", param: null, code: null } }, fault.headers);
      case "page":
        return void response.writeHead(200, { ...CORS, "Content-Type": "text/html" }).end("<p>Welcome");
      case "redirect":
        return void response.writeHead(307, { ...CORS, Location: fault.location }).end();
    }
    if (this.#apiKey !== null && request.headers.authorization !== `Bearer ${this.#apiKey}`) {
      return refuse(401, "invalid_api_key", "Incorrect API key provided.");
    }
    const { body } = entry;
    const path = pathname.replace(/^\/v1/, "");
    const stream = (chunks, done) => this.#stream(response, entry, { chunks, done, fault });
    switch (`${request.method} ${path}`) {
      case "GET /models":
        return json(200, { object: "list", data: [{ id: "far-1", object: "model", created: 1_700_000_000, owned_by: "test" }] });
      case "POST /chat/completions":
        if (!Array.isArray(body?.messages)) return refuse(400, "missing_required_parameter", "Missing required parameter: 'messages'.", "messages");
        return body.stream ? stream(chunksTo("chat", body), true) : json(200, wholeAnswer("chat", body), { "x-request-id": "far-request" });
      case "POST /completions":
        return body.stream ? stream(chunksTo("text", body), true) : json(200, wholeAnswer("text", body));
      case "POST /embeddings":
        return json(200, vectorsTo(body));
      case "POST /messages":
        return json(200, messageTo(body));
      case "POST /responses": {
        const previous = body.previous_response_id;
        if (typeof previous === "string" && !this.#responses.has(previous)) return refuse(400, "previous_response_not_found", "Not found.", "previous_response_id");
        const made = responseTo(body, `resp_far${this.#responses.size + 1}`);
        this.#responses.set(made.id, made);
        return body.stream ? stream(responseEvents(made), false) : json(200, made);
      }
    }
    const kept = this.#responses.get(/^\/responses\/(.+)$/.exec(path)?.[1]);
    if (request.method === "GET" && kept !== undefined) return json(200, kept);
    refuse(404, null, `Invalid URL (${request.method} ${pathname})`);
  }

  async #stream(response, entry, { chunks, done, fault }) {
    const gone = new Promise((resolve) => response.once("close", resolve));
    const say = (data, name) => new Promise((resolve) => response.write(`${name ? `event: ${name}\n` : ""}data: ${data}\n\n`, resolve));
    response.writeHead(200, { ...CORS, "Content-Type": "text/event-stream; charset=utf-8" });
    for (const chunk of chunks) {
      if (response.destroyed) return;
      if (entry.events === fault.after) {
        if (fault.kind === "hold" || fault.isHeld) await Promise.race([new Promise((resolve) => this.#held.push(resolve)), gone]);
        if (response.destroyed) return;
        if (fault.kind === "cut") return response.destroy();
        if (fault.kind === "end") return response.end();
        if (fault.kind === "error") {
          await say(JSON.stringify({ error: fault.error }));
          return response.end();
        }
      }
      await say(JSON.stringify(chunk), chunk.type);
      entry.events += 1;
    }
    if (done) await say("[DONE]");
    response.end();
  }
}

async function bodyOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
