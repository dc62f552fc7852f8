// A wasm module with a memory of its own, which is talked to in messages: bytes that Rust writes and reads. It needs no
// glue.

import { PunaError } from "../errors.js";

/** Functions that every such module exports. Addresses are bytes; 0 is none. */
export interface MessageExports {
  request_room(bytes: number): number;
  call(): number;
  response_bytes(): number;
}

/** A module that runs. */
export class MessageModule<Exports extends MessageExports = MessageExports> {
  protected readonly memory: WebAssembly.Memory;
  protected readonly exports: Exports;
  /** Whose memory it is, for people. */
  readonly #whose: string;

  constructor(memory: WebAssembly.Memory, exports: Exports, whose: string) {
    this.memory = memory;
    this.exports = exports;
    this.#whose = whose;
  }

  /** Asks, and gives a copy of the answer. */
  call(request: Uint8Array): Uint8Array {
    this.bytes(this.exports.request_room(request.length), request.length).set(request);
    const response = this.exports.call();
    return this.bytes(response, this.exports.response_bytes()).slice();
  }

  protected bytes(at: number, length: number): Uint8Array {
    if (at === 0) throw this.outOfMemory(length);
    return new Uint8Array(this.memory.buffer, at >>> 0, length);
  }

  protected outOfMemory(bytes: number): PunaError {
    return new PunaError(
      "out_of_memory",
      `${this.#whose} memory has no ${bytes} bytes left; close other tabs, or take a smaller model`,
      { details: { bytes } },
    );
  }
}

/** The function by which a module says that it panicked. */
export function panicked(memory: WebAssembly.Memory, what: string): (message: number, bytes: number) => void {
  return (message, bytes) => {
    // A copy: text is not decoded from shared memory.
    const text = new Uint8Array(memory.buffer, message >>> 0, bytes >>> 0).slice();
    throw new Error(`${what} panicked: ${new TextDecoder().decode(text)}`);
  };
}

/** Fetches and compiles a module's file. */
export async function compile(url: URL, what: string): Promise<WebAssembly.Module> {
  const failed = (code: "network" | "internal", why: string): PunaError => {
    const file = url.pathname.split("/").at(-1) ?? "";
    const message =
      `${what} did not start: ${file}: ${why}; the package's wasm files must lie beside worker.js, and a ` +
      "Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src, and where they come from in connect-src";
    return new PunaError(code, message);
  };
  let bytes: ArrayBuffer;
  try {
    const response = await fetch(url);
    if (!response.ok) throw failed("network", `HTTP ${response.status}`);
    bytes = await response.arrayBuffer();
  } catch (error) {
    throw error instanceof PunaError ? error : failed("network", String(error));
  }
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw failed("internal", String(error));
  }
}
