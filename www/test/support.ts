// What the tests share: a loaded model on a fake worker, and short words for the usual things.

import { expect } from "vitest";

import { type Model, loadIn } from "../src/engine.js";
import type { LoadOptions } from "../src/types/model.js";
import type { ChatCompletionChunk, ChatCompletionMessageParam } from "../src/types/openai.js";
import { FakeWorker } from "./fake/worker.js";

/** Where the fake model is; `query` is the fake's script. */
export const address = (query = ""): string => `https://models.example.org/fake.gguf?${query}`;

/** A conversation of one message. */
export const say = (content: string): ChatCompletionMessageParam[] => [{ role: "user", content }];

/** A model on a fake worker, the first of `workers`: each time that the model is loaded another is added. */
export async function loaded(
  query = "",
  options: LoadOptions = {},
): Promise<{ model: Model; worker: FakeWorker; workers: FakeWorker[] }> {
  const worker = new FakeWorker();
  const workers: FakeWorker[] = [];
  const start = (): FakeWorker => {
    const another = workers.length === 0 ? worker : new FakeWorker();
    workers.push(another);
    return another;
  };
  const model = await loadIn(start, address(query), options);
  return { model, worker, workers };
}

/** The text of some chunks. */
export const textOf = (chunks: ChatCompletionChunk[]): string =>
  chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");

/** What a promise was rejected with; fails the test when it was not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  expect(outcome, "expected a rejection").toHaveProperty("error");
  return (outcome as { error: unknown }).error;
}

/** Resolves when `holds` does, looking every few milliseconds; rejects after a second. */
export async function until(holds: () => boolean): Promise<void> {
  const limit = Date.now() + 1000;
  while (!holds()) {
    if (Date.now() > limit) throw new Error(`never came true: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
