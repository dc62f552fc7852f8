// Adapters: what `load` takes of them, and how they are switched.
import { describe, expect, it } from "vitest";

import { InvalidRequestError } from "../src/errors.js";
import type { AdapterOptions } from "../src/types/adapters.js";
import { loaded, rejectionOf } from "./support.js";

const LEGAL = { source: "https://models.example.org/legal.gguf", name: "legal" };

describe("adapters", () => {
  it("are sent beside the model, with absolute addresses", async () => {
    const file = new File(["GGUF"], "own.gguf");
    const adapters: AdapterOptions[] = [LEGAL, { source: file, scale: 0 }];
    const { model, worker } = await loaded("", { adapters });
    expect(worker.received[0]).toMatchObject({
      kind: "load",
      adapters: ["https://models.example.org/legal.gguf", expect.any(Blob) as Blob],
      options: { adapters: [{ name: "legal", scale: 1 }, { scale: 0 }] },
    });
    expect(model.info.adapters).toMatchObject([
      { name: "legal", scale: 1, rank: 8 },
      { name: "adapter", scale: 0 },
    ]);
  });

  it("are models, too, to whoever lists them", async () => {
    const { model } = await loaded("", { adapters: [LEGAL] });
    const list: unknown = await (await model.fetch("https://x.invalid/v1/models")).json();
    expect(list).toMatchObject({
      data: [{ id: model.id }, { id: "legal", parent: model.id, root: model.id }],
    });
    const own: unknown = await (await model.fetch("https://x.invalid/v1/models/legal")).json();
    expect(own).toMatchObject({ id: "legal", object: "model", parent: model.id });
    expect((await model.fetch("https://x.invalid/v1/models/medical")).status).toBe(404);
  });

  it("are switched", async () => {
    const { model, worker } = await loaded("", { adapters: [LEGAL] });
    await model.setAdapters({ legal: 0.5 });
    expect(worker.received.at(-1)).toMatchObject({ kind: "adapt", scales: '{"legal":0.5}' });
    const unknown = await rejectionOf(model.setAdapters({ medical: 1 }));
    expect(unknown).toBeInstanceOf(InvalidRequestError);
    expect(unknown).toMatchObject({ details: { param: "adapters.medical" } });
    for (const wrong of [NaN, 101, -1e9, "1" as unknown as number]) {
      const error = await rejectionOf(model.setAdapters({ legal: wrong }));
      expect(error).toMatchObject({ code: "invalid_request", details: { param: "adapters.legal" } });
    }
  });

  it("are refused by name where they make no sense", async () => {
    const wrong: [unknown, string][] = [
      ["legal", "adapters"],
      [{ ...LEGAL }, "adapters"],
      [Array.from({ length: 17 }, () => LEGAL), "adapters"],
      [[LEGAL, null], "adapters[1]"],
      [[{ ...LEGAL, scales: 1 }], "adapters[0].scales"],
      [[{ ...LEGAL, name: "" }], "adapters[0].name"],
      [[{ ...LEGAL, scale: "1" }], "adapters[0].scale"],
      [[{ ...LEGAL, scale: Infinity }], "adapters[0].scale"],
      [[{ name: "legal" }], "adapters[0].source"],
      [[{ source: [] }], "adapters[0].source"],
    ];
    for (const [adapters, param] of wrong) {
      const error = await rejectionOf(loaded("", { adapters: adapters as AdapterOptions[] }));
      expect(error, param).toBeInstanceOf(InvalidRequestError);
      expect(error).toMatchObject({ details: { param } });
    }
  });
});
