// From pushed chunks to pulled ones. Chunks wait here until they are taken: an answer is bounded by its
// context, so that nothing has to hold the worker back.

import type { ChatCompletionChunk } from "./types/openai.js";

type End = { error: unknown } | { error?: never };

/** One writer, one reader. The first end counts; what comes after it is dropped. */
export class ChunkQueue {
  #chunks: ChatCompletionChunk[] = [];
  #end: End | null = null;
  #wake: (() => void)[] = [];

  /** Adds a chunk. */
  push(chunk: ChatCompletionChunk): void {
    if (this.#end !== null) return;
    this.#chunks.push(chunk);
    this.#wakeAll();
  }

  /** Nothing more comes; what is there can still be taken. */
  close(): void {
    this.#finish({});
  }

  /** Something went wrong; what is there can still be taken, then the error is thrown. */
  fail(error: unknown): void {
    this.#finish({ error });
  }

  /** Ends it now: what is there is dropped. With an error, the reader gets that. */
  cut(end: End): void {
    this.#chunks = [];
    this.#finish(end);
  }

  /** Resolves when there is a chunk or the end; rejects when it failed before any chunk. */
  async ready(): Promise<void> {
    while (this.#chunks.length === 0 && this.#end === null) await this.#woken();
    if (this.#chunks.length === 0) this.#throwIfFailed();
  }

  /** The next chunk, or `null` at the end. */
  async take(): Promise<ChatCompletionChunk | null> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) return chunk;
      if (this.#end !== null) break;
      await this.#woken();
    }
    this.#throwIfFailed();
    return null;
  }

  #finish(end: End): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#wakeAll();
  }

  #throwIfFailed(): void {
    if (this.#end === null || !("error" in this.#end)) return;
    const { error } = this.#end;
    // It is told once; whoever asks on gets the end.
    this.#end = {};
    throw error;
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #wakeAll(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}
