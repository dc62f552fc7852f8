// From pushed chunks to pulled ones. Chunks wait here until they are taken: an answer is bounded by its
// context, so that nothing has to hold the worker back.

type End = { error: unknown } | { error?: never };

/** One writer, one reader. The first end counts, unless it is cut; what comes after it is dropped. */
export class ChunkQueue<Chunk> {
  #chunks: Chunk[] = [];
  #end: End | null = null;
  #wake: (() => void)[] = [];
  #isOver = false;

  /** Adds a chunk. */
  push(chunk: Chunk): void {
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

  /** Ends it now, unless the reader has seen its end: what is there is dropped, and an error is what it gets. */
  cut(end: End): void {
    if (this.#isOver) return;
    this.#chunks = [];
    this.#end = end;
    this.#wakeAll();
  }

  /** Resolves when there is a chunk or the end; rejects when it failed before any chunk. */
  async ready(): Promise<void> {
    while (this.#chunks.length === 0 && this.#end === null) await this.#woken();
    if (this.#chunks.length === 0 && this.#end !== null && "error" in this.#end) this.#throwIfFailed();
  }

  /** The next chunk, or `null` at the end. */
  async take(): Promise<Chunk | null> {
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
    const end = this.#end;
    this.#isOver = true;
    // It is told once; whoever asks on gets the end.
    this.#end = {};
    if (end !== null && "error" in end) throw end.error;
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
