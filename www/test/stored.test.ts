// What the cache holds, asked of a worker without a model.
import { describe, expect, it } from "vitest";

import { InvalidRequestError, PunaError } from "../src/errors.js";
import { listModelsIn, removeModelIn } from "../src/stored.js";
import { FakeWorker } from "./fake/worker.js";
import { rejectionOf } from "./support.js";

const WHOLE = "https://models.example.org/smollm2-135m-instruct.gguf";
const noModel = (): Promise<never> => Promise.reject(new Error("a model was loaded"));

describe("the stored models", () => {
  it("are told in our own names, by a worker that loads no model and ends", async () => {
    const worker = new FakeWorker(noModel);
    const models = await listModelsIn(() => worker);
    expect(models).toEqual([
      { url: WHOLE, fileBytes: 98_362_432, storedBytes: 98_362_432, isComplete: true },
      {
        url: "https://models.example.org/half/manifest.json",
        fileBytes: 1_000_000_000,
        storedBytes: 500_000_000,
        isComplete: false,
      },
    ]);
    expect(worker.received).toEqual([{ kind: "list", id: 1 }]);
    expect(worker.isTerminated).toBe(true);
  });

  it("can be removed, once each, by the address that was loaded", async () => {
    const remove = (url: string | URL): Promise<boolean> => removeModelIn(() => new FakeWorker(noModel), url);
    expect(await remove("https://models.example.org/other.gguf")).toBe(false);
    // As `load` keeps it: in full, without a fragment.
    expect(await remove(new URL(`https://models.example.org/a/../smollm2-135m-instruct.gguf#part`))).toBe(
      true,
    );
    expect(await remove(WHOLE)).toBe(false);
    const left = await listModelsIn(() => new FakeWorker(noModel));
    expect(left.map(({ url }) => url)).toEqual(["https://models.example.org/half/manifest.json"]);
  });

  it.each(["busy", "storage_full", "trap"])(
    "fail with class and code, and the worker ends: %s",
    async (failure) => {
      const worker = new FakeWorker(noModel);
      const error = await rejectionOf(removeModelIn(() => worker, `${WHOLE}?fail=${failure}`));
      expect(error).toBeInstanceOf(PunaError);
      expect(error).toMatchObject({ code: failure === "trap" ? "internal" : failure });
      expect(worker.isTerminated).toBe(true);
    },
  );

  it("are not removed by what is no address, and no worker is started for it", async () => {
    const start = (): FakeWorker => {
      throw new Error("a worker was started");
    };
    for (const url of ["not a url", "https://me:secret@example.org/a.gguf", 5 as unknown as string]) {
      const error = await rejectionOf(removeModelIn(start, url));
      expect(error).toBeInstanceOf(InvalidRequestError);
      expect(error).toMatchObject({ param: "url" });
    }
  });
});
