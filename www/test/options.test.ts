// What `load` refuses before it starts a worker, and what it sends.
import { describe, expect, it } from "vitest";

import { InvalidRequestError } from "../src/errors.js";
import { modelRequest } from "../src/options.js";
import type { LoadOptions, ModelSource } from "../src/types/model.js";
import { address } from "./support.js";

/** What was thrown; fails the test when nothing was. */
function refusalOf(source: unknown, options: unknown): InvalidRequestError {
  try {
    modelRequest(source as ModelSource, options as LoadOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidRequestError);
    return error as InvalidRequestError;
  }
  throw new Error("expected a refusal");
}

describe("an option", () => {
  it.each([
    [{ contextLenght: 1 }, "contextLenght"],
    [{ contextLenght: undefined }, "contextLenght"],
    [{ advanced: { variants: "auto" } }, "advanced.variants"],
    [{ toString: 1 }, "toString"],
  ])("that nobody knows is refused by name: %j", (options, param) => {
    const error = refusalOf(address(), options);
    expect(error.param).toBe(param);
    expect(error.message).toContain(param);
  });

  it.each<[string, unknown[]]>([
    ["contextLength", [0, -1, 1.5, 2 ** 24 + 1, NaN, Infinity, 512n, "512", true, {}]],
    ["chatTemplate", [1, true, ["{{ x }}"], {}, Symbol("x")]],
    ["cache", ["OPFS", "", true, 1, ["opfs"]]],
    ["revalidate", ["true", 1, 0, "", {}]],
    ["kvCache", ["f8", "F16", 16]],
    ["quantize", ["q4_k", "Q8_0", 8, true]],
    ["advanced", ["subgroup", 1, true]],
    ["advanced.variant", ["subgroups", 1, []]],
    ["advanced.precision", ["f64", 32]],
    ["advanced.poke", [true, "yes"]],
  ])("%s of another type or range is refused under that name", (param, values) => {
    const name = param.replace("advanced.", "");
    for (const value of values) {
      const options = param === name ? { [name]: value } : { advanced: { [name]: value } };
      const error = refusalOf(address(), options);
      expect(error.param).toBe(param);
      expect(error.code).toBe("invalid_request");
      expect(error.message).toContain(`${param}: expected`);
    }
  });

  it.each<[LoadOptions, object]>([
    [{ contextLength: 1 }, { context_length: 1 }],
    [{ contextLength: 2 ** 24 }, { context_length: 2 ** 24 }],
    [{ chatTemplate: "" }, { chat_template: "" }],
    [{ cache: "opfs" }, { cache: "opfs" }],
    [{ cache: "none" }, { cache: "none" }],
    [{ revalidate: false }, { revalidate: false }],
    [{ kvCache: "q8" }, { kv_cache: "q8" }],
    [{ quantize: "q4_0" }, { quantize: "q4_0" }],
    [
      { advanced: { variant: "serial", precision: "f32", poke: "on" } },
      { variant: "serial", precision: "f32", poke: "on" },
    ],
  ])("in its range is sent under the engine's name: %j", (options, wire) => {
    expect(modelRequest(address(), options).options).toEqual(wire);
  });

  it("that is null or undefined is not given", () => {
    const nothing = [null, undefined];
    for (const value of nothing) {
      const names = [
        "contextLength",
        "chatTemplate",
        "cache",
        "revalidate",
        "kvCache",
        "quantize",
        "advanced",
        "signal",
        "onProgress",
      ];
      const options = Object.fromEntries(names.map((name) => [name, value]));
      expect(modelRequest(address(), options).options).toEqual({});
      const advanced = { variant: value, precision: value, poke: value };
      expect(modelRequest(address(), { advanced } as unknown as LoadOptions).options).toEqual({});
    }
  });

  it("is part of an object", () => {
    expect(refusalOf(address(), null).param).toBe("options");
    expect(refusalOf(address(), "none").param).toBe("options");
  });
});

describe("a source", () => {
  it.each([["not a url"], [5], [null], [undefined], [{}], [["https://example.org/a.gguf"]]])(
    "that is no URL is refused: %j",
    (source) => {
      expect(refusalOf(source, {}).param).toBe("source");
    },
  );

  it.each([
    ["https://me:secret@example.org/a.gguf"],
    ["https://me@example.org/a.gguf"],
    ["https://:secret@example.org/a"],
  ])("with a user or a password is refused, and neither is repeated: %s", (source) => {
    for (const given of [source, new URL(source)]) {
      const error = refusalOf(given, {});
      expect(error.param).toBe("source");
      expect(error.message).not.toMatch(/secret|me@/);
    }
  });

  it("is sent as a full address, or as the file it is", () => {
    expect(modelRequest(new URL("https://example.org/a/../b.gguf"), {}).source).toBe(
      "https://example.org/b.gguf",
    );
    const file = new Blob(["GGUF"]);
    expect(modelRequest(file, {}).source).toBe(file);
    // A FileList is no array.
    const files = [new File(["{}"], "config.json"), new File([""], "model.safetensors")];
    expect(modelRequest(new Set(files), {}).source).toEqual(files);
    expect(refusalOf([], {}).message).toContain("source: expected files, got none");
    expect(refusalOf([files[0], "b"], {}).message).toContain('source: expected files, got "b"');
  });
});
