// A static server on loopback for tests: byte ranges, isolation headers, a count of what it sent, and network faults on
// request. It lives in the test's own process, so that a test changes and reads it by plain calls.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FaultList } from "./faults.mjs";
import { parseRange } from "./range.mjs";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

/** Small pieces, so that a drop or a throttle acts where it should. */
const PIECE_BYTES = 64 * 1024;

/**
 * @typedef {object} Entry  One request, as it went.
 * @property {string} method
 * @property {string} path
 * @property {string} query
 * @property {{ first: number, last: number } | null} range  What was asked for, cut to the file.
 * @property {number} status
 * @property {string} body  What was sent along, such as a report of what a policy forbids.
 * @property {number} sentBytes  Of the body, as given to the socket: a client that leaves may have read less.
 * @property {boolean} whole  Whether the answer was given to the socket to its end.
 */

export class StaticServer {
  /** @type {Entry[]} Every request since the start or the last `clearLog`. */
  log = [];
  faults = new FaultList();
  #roots;
  #virtual = new Map();
  #isolate;
  #cacheControl;
  #more;
  #server = null;
  #port = 0;
  #inFlight = new Map();
  #mostInFlight = new Map();

  /**
   * @param {Record<string, string>} roots  Folders by the path they are served at; the longest path wins.
   * `headers` are sent with every answer.
   */
  constructor(roots, { isolate = true, cacheControl = "no-store", headers = {} } = {}) {
    this.#roots = Object.entries(roots).sort(([a], [b]) => b.length - a.length);
    this.#isolate = isolate;
    this.#cacheControl = cacheControl;
    this.#more = headers;
  }

  /** Listens: the first time on any free port, later on the same one. */
  async start() {
    const server = http.createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    await new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = server.address().port;
    this.#server = server;
    return this;
  }

  /** Ends all connections and refuses new ones. */
  async stop() {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  get origin() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Serves these bytes at `path`; returns the URL. */
  put(path, bytes) {
    this.#virtual.set(path, { bytes, etag: `"v${this.#virtual.size}-${bytes.length}"` });
    return this.origin + path;
  }

  /** Body bytes sent for `path`, or for all paths. */
  sentBytes(path) {
    return this.log.filter((entry) => path === undefined || entry.path === path).reduce((sum, entry) => sum + entry.sentBytes, 0);
  }

  /** The most answers for `path` that were being sent at the same time. */
  mostInFlight(path) {
    return this.#mostInFlight.get(path) ?? 0;
  }

  clearLog() {
    this.log = [];
    this.#mostInFlight.clear();
  }

  #find(pathname) {
    const virtual = this.#virtual.get(pathname);
    if (virtual) return { ...virtual, size: virtual.bytes.length };
    const root = this.#roots.find(([prefix]) => pathname === prefix || pathname.startsWith(prefix.replace(/\/?$/, "/")));
    if (!root) return null;
    const inside = path.posix.normalize(`/${pathname.slice(root[0].length)}`);
    const file = path.join(root[1], inside.endsWith("/") ? `${inside}index.html` : inside);
    const about = fs.statSync(file, { throwIfNoEntry: false });
    if (!about?.isFile()) return null;
    return { file, size: about.size, etag: `"${about.size.toString(16)}-${Math.floor(about.mtimeMs).toString(16)}"` };
  }

  #headers() {
    return {
      "Access-Control-Allow-Origin": "*",
      "Access-Control-Allow-Headers": "*, Range, If-Range",
      "Access-Control-Expose-Headers": "Accept-Ranges, Content-Length, Content-Range, ETag",
      "Cross-Origin-Resource-Policy": "cross-origin",
      ...(this.#isolate && {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
      }),
      "Cache-Control": this.#cacheControl,
      ...this.#more,
    };
  }

  async #answer(request, response) {
    const url = new URL(request.url, "http://x");
    const pathname = decodeURIComponent(url.pathname);
    const entry = { method: request.method, path: pathname, query: url.search, range: null, status: 0, body: "", sentBytes: 0, whole: false };
    for await (const piece of request) entry.body += piece;
    this.log.push(entry);
    const headers = this.#headers();
    const plain = (status, more = {}) => {
      entry.status = status;
      entry.whole = true;
      response.writeHead(status, { ...headers, ...more }).end();
    };
    if (request.method === "OPTIONS") return plain(204);

    const found = this.#find(pathname);
    const faults = this.faults.take(pathname, request);
    if (faults.hang) return; // The client waits until it gives up or the server stops.
    if (faults.refuse) return response.destroy();
    if (faults.status) return plain(faults.status.status, faults.status.headers);
    if (!found) return plain(404);

    headers["Content-Type"] = TYPES[path.extname(found.file ?? pathname)] ?? "application/octet-stream";
    headers["ETag"] = faults.etag?.etag ?? found.etag;
    if (!faults.no_range) headers["Accept-Ranges"] = "bytes";
    const range = faults.no_range ? null : parseRange(request.headers.range, found.size);
    if (range === "unsatisfiable") return plain(416, { "Content-Range": `bytes */${found.size}` });
    const first = range?.first ?? 0;
    const last = range?.last ?? found.size - 1;
    entry.range = range;
    entry.status = range ? 206 : 200;
    headers["Content-Length"] = last - first + 1;
    if (range) {
      const shift = faults.wrong_range ? 1 : 0;
      headers["Content-Range"] = `bytes ${first + shift}-${last + shift}/${found.size + shift}`;
    }
    response.writeHead(entry.status, headers);
    if (request.method === "HEAD") {
      entry.whole = true;
      return response.end();
    }
    await this.#counted(pathname, () => this.#send(found, first, last, faults, entry, response));
  }

  async #counted(pathname, send) {
    const now = (this.#inFlight.get(pathname) ?? 0) + 1;
    this.#inFlight.set(pathname, now);
    this.#mostInFlight.set(pathname, Math.max(this.mostInFlight(pathname), now));
    try {
      await send();
    } finally {
      this.#inFlight.set(pathname, this.#inFlight.get(pathname) - 1);
    }
  }

  async #send(found, first, last, faults, entry, response) {
    const gone = new Promise((resolve) => response.once("close", resolve));
    let at = first;
    for await (let piece of pieces(found, first, last)) {
      if (response.destroyed) return;
      if (faults.flip && faults.flip.at >= at && faults.flip.at < at + piece.length) {
        piece = Buffer.from(piece);
        piece[faults.flip.at - at] ^= 1;
      }
      at += piece.length;
      if (faults.throttle) await sleep((piece.length / faults.throttle.bytesPerSecond) * 1000);
      const left = faults.drop ? faults.drop.after - entry.sentBytes : Infinity;
      if (left < piece.length) {
        // The last bytes must reach the client before the connection goes.
        await new Promise((resolve) => response.write(piece.subarray(0, left), resolve));
        entry.sentBytes += left;
        await sleep(20);
        return response.destroy();
      }
      entry.sentBytes += piece.length;
      entry.whole = at > last;
      if (!response.write(piece)) await Promise.race([new Promise((resolve) => response.once("drain", resolve)), gone]);
    }
    response.end();
  }
}

async function* pieces(found, first, last) {
  if (last < first) return;
  if (found.file) {
    yield* fs.createReadStream(found.file, { start: first, end: last, highWaterMark: PIECE_BYTES });
    return;
  }
  for (let at = first; at <= last; at += PIECE_BYTES) yield found.bytes.subarray(at, Math.min(at + PIECE_BYTES, last + 1));
}
