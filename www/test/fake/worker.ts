// A worker that is no thread: the real server and the fake engine behind a real message channel, so that what
// crosses is cloned as it is in a browser.

import { MessageChannel, type MessagePort } from "node:worker_threads";

import { camelKeys } from "../../src/names.js";
import type { FromWorker, ToWorker } from "../../src/types/messages.js";
import type { ProgressEvent } from "../../src/types/model.js";
import type { WorkerLike } from "../../src/worker/client.js";
import { CpuHost } from "../../src/worker/cpu.js";
import { GrammarHost } from "../../src/worker/grammar.js";
import { type LoadEngine, Server } from "../../src/worker/serve.js";
import { Threads } from "../../src/worker/threads.js";
import { Engine, inspect_model, list_models, remove_model } from "./engine.js";

type ErrorListener = (event: { message?: string }) => void;

/** Loads the fake engine. */
export const loadFake: LoadEngine = ({ source, adapters, options }, onProgress, signal) =>
  Engine.load(
    JSON.stringify(options),
    source,
    adapters,
    (progress) => {
      onProgress(camelKeys(progress) as ProgressEvent);
    },
    signal,
    NO_CPU,
    new GrammarHost(),
  );

/** The fake engine starts nothing. */
const NO_CPU = new CpuHost(
  { crossOriginIsolated: false, navigator: {} },
  new Threads({ postMessage: () => undefined }),
  () => undefined,
);

/** What a test sees and does to the worker. */
export class FakeWorker implements WorkerLike {
  /** Everything that the page sent. */
  readonly received: ToWorker[] = [];
  /** Everything that the worker sent. */
  readonly sent: FromWorker[] = [];
  isTerminated = false;
  readonly #page: MessagePort;
  readonly #worker: MessagePort;
  readonly #onError: ErrorListener[] = [];

  constructor(load: LoadEngine = loadFake) {
    const { port1, port2 } = new MessageChannel();
    this.#page = port1;
    this.#worker = port2;
    const server = new Server(
      {
        postMessage: (message) => {
          this.sent.push(message);
          port2.postMessage(message);
        },
      },
      {
        load,
        inspect: ({ source, options }, signal) =>
          inspect_model(JSON.stringify(options), source, false, undefined, signal),
        list: list_models,
        remove: remove_model,
      },
    );
    port2.on("message", (message: ToWorker) => {
      this.received.push(message);
      // The fake engine has no threads.
      if (message.kind !== "thread") server.handle(message);
    });
  }

  postMessage(message: ToWorker): void {
    this.#page.postMessage(message);
  }

  terminate(): void {
    this.isTerminated = true;
    this.#page.close();
  }

  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "error" | "messageerror", listener: ErrorListener): void;
  addEventListener(
    type: "message" | "error" | "messageerror",
    listener: ErrorListener | ((event: { data: unknown }) => void),
  ): void {
    if (type === "message") {
      this.#page.on("message", (data: unknown) => {
        (listener as (event: { data: unknown }) => void)({ data });
      });
    } else {
      this.#onError.push(listener as ErrorListener);
    }
  }

  /** Says something that the protocol allows, on the worker's behalf. */
  say(message: FromWorker): void {
    this.#worker.postMessage(message);
  }

  /** Dies as a thread does whose script throws. */
  crash(message: string): void {
    for (const listener of this.#onError) listener({ message });
  }

  /** The terminal messages that carried this id. */
  endsOf(id: number): FromWorker[] {
    return this.sent.filter(
      (message) => (message.kind === "done" || message.kind === "failed") && message.id === id,
    );
  }
}
