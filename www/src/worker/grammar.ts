// What holds answers to grammars: a module that is fetched when a request first asks for it. What goes in and out are
// messages that Rust writes and reads (crate/puna-grammar/src/wire.rs).

import { type MessageExports, MessageModule, compile, panicked } from "./message_module.js";

const WHAT = "the grammar module";
const FILE = (): URL => new URL("../../pkg-grammar/puna_grammar.wasm", import.meta.url);
const PAGE_BYTES = 65_536;
/** Holds the module's own data and its stack. */
const FIRST_PAGES = 64;
/** A vocabulary takes some ten million; a grammar that needs more is none that can be followed. */
const MOST_BYTES = 512 << 20;

/** A module that runs. */
class GrammarModule extends MessageModule {
  /** A copy of words. */
  words(at: number, length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, at >>> 0, length).slice();
  }
}

/** What the engine is given to start modules by. */
export class GrammarHost {
  #compiled: Promise<WebAssembly.Module> | undefined;

  /** A new module, which knows nothing yet. */
  async start(): Promise<GrammarModule> {
    const module = await this.#compile();
    const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MOST_BYTES / PAGE_BYTES });
    const { exports } = await WebAssembly.instantiate(module, {
      env: { memory, now: () => performance.now() },
      puna: { panicked: panicked(memory, WHAT) },
    });
    return new GrammarModule(memory, exports as unknown as MessageExports, "the grammar module's");
  }

  /** Once; after a failure anew. */
  async #compile(): Promise<WebAssembly.Module> {
    this.#compiled ??= compile(FILE(), WHAT);
    try {
      return await this.#compiled;
    } catch (error) {
      this.#compiled = undefined;
      throw error;
    }
  }
}
