// A model here and a server elsewhere behind one interface.

import { type Model, load } from "../index.js";
import { Asker } from "./ask.js";
import { ClientChatCompletions, ClientCompletions, ClientEmbeddings, ClientModels } from "./completions.js";
import { fetchOf } from "./fetch.js";
import { Local, type LocalState } from "./local.js";
import { type ClientOptions, setupOf } from "./options.js";
import { Remote } from "./remote.js";

/** Answers requests by a model on this device, by a server, or by either, as its policy says. */
export class Client {
  /** As in the `openai` package. */
  readonly chat: { readonly completions: ClientChatCompletions };
  /** As in the `openai` package: texts that are gone on with, without a chat. */
  readonly completions: ClientCompletions;
  /** As in the `openai` package. */
  readonly embeddings: ClientEmbeddings;
  /** As in the `openai` package, for the side that is asked. */
  readonly models: ClientModels;
  /**
   * A `fetch` that answers by the same policy, for a client that was written for a hosted API. What comes from the server is
   * given as it is; `x-puna-ran-on` and `x-puna-reason` say where an answer was made.
   *
   * @example
   * const openai = new OpenAI({ apiKey: "none", dangerouslyAllowBrowser: true, fetch: client.fetch });
   */
  readonly fetch: typeof fetch;
  readonly #local: Local;

  /** @internal */
  constructor(options: ClientOptions, loader: typeof load) {
    const setup = setupOf(options);
    const remote = setup.remote === null ? null : new Remote(setup.remote);
    this.#local = new Local(setup.local, loader);
    const asker = new Asker(setup, this.#local, remote);
    this.chat = { completions: new ClientChatCompletions(asker) };
    this.completions = new ClientCompletions(asker);
    this.embeddings = new ClientEmbeddings(asker);
    this.models = new ClientModels(asker);
    this.fetch = fetchOf(setup, this.#local, remote);
  }

  /** The local model, while there is one. */
  get model(): Model | null {
    return this.#local.model;
  }

  /** How far the local model is: `none` was given, nobody has needed it yet (`idle`), and so on. */
  get state(): LocalState {
    return this.#local.state;
  }

  /**
   * Loads the local model ahead of the first request, or again after it has failed or was unloaded; resolves when it is ready.
   * Requests never try again by themselves what has failed.
   *
   * @example
   * client.load().catch((error) => console.log("answers come from the server:", error.message));
   */
  load(): Promise<Model> {
    return this.#local.load();
  }

  /** Stops the load, or frees the model, that this client has begun; a model that was given to it is left alone. */
  unload(): Promise<void> {
    return this.#local.unload();
  }
}

/**
 * A client of a model on this device (`local`) and of a server (`remote`), shaped like the `openai` package's. Nothing is sent
 * unless `policy` says so, and each answer says in `puna` where it was made. The model is loaded when it is first needed, or by
 * `client.load()`.
 *
 * @example
 * const client = createClient({
 *   local: { source: "https://example.org/model.gguf", options: { onProgress: show } },
 *   remote: { baseURL: "https://api.example.org/v1", model: "llama-3.1-8b" },
 *   policy: async ({ error }) => ((await confirmed(error.message)) ? "remote" : "local"),
 * });
 */
export function createClient(options: ClientOptions): Client {
  return new Client(options, load);
}
