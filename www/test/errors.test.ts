import { describe, expect, it } from "vitest";

import {
  AbortError,
  InvalidRequestError,
  PunaError,
  UnsupportedDeviceError,
  fromWire,
  toWire,
} from "../src/errors.js";
import { ERROR_CODES } from "../src/generated/codes.js";

/** Across the boundary and back, cloned as a message is. */
const crossed = (error: unknown): PunaError => fromWire(structuredClone(toWire(error)));

describe("an error across the worker boundary", () => {
  it.each(ERROR_CODES)("keeps the code %s, its message and its details", (code) => {
    const error = crossed({ code, message: "GET /a: expected 206, got 500", details: { status: 500 } });
    expect(error).toBeInstanceOf(PunaError);
    expect(error).toBeInstanceOf(Error);
    expect(error.code).toBe(code);
    expect(error.message).toBe("GET /a: expected 206, got 500");
    expect(error.details).toEqual({ status: 500 });
  });

  it("keeps its class", () => {
    expect(crossed(new AbortError())).toBeInstanceOf(AbortError);
    expect(crossed(new AbortError()).name).toBe("AbortError");
    expect(crossed(new UnsupportedDeviceError("no GPU"))).toBeInstanceOf(UnsupportedDeviceError);
    expect(crossed(new InvalidRequestError("no"))).toBeInstanceOf(InvalidRequestError);
    expect(crossed(new PunaError("network", "no")).constructor).toBe(PunaError);
  });

  it("has OpenAI's fields where the request is at fault", () => {
    const wrong = crossed({ code: "invalid_request", message: "n: not supported", details: { param: "n" } });
    expect(wrong).toMatchObject({ type: "invalid_request_error", param: "n", code: "invalid_request" });
    const long = crossed({ code: "context_length_exceeded", message: "9000 > 8192", details: {} });
    expect(long).toBeInstanceOf(InvalidRequestError);
    expect(long).toMatchObject({
      type: "invalid_request_error",
      param: null,
      code: "context_length_exceeded",
    });
  });

  it("names details in camelCase", () => {
    const error = crossed({
      code: "context_length_exceeded",
      message: "",
      details: { prompt_tokens: 9, deep: [{ a_b: 1 }] },
    });
    expect(error.details).toEqual({ promptTokens: 9, deep: [{ aB: 1 }] });
  });

  it("takes the engine's error, which is an Error with more fields", () => {
    const thrown = Object.assign(new Error("sha256 differs"), {
      code: "integrity",
      details: { shard: "a.bin" },
    });
    expect(crossed(thrown)).toMatchObject({
      code: "integrity",
      message: "sha256 differs",
      details: { shard: "a.bin" },
    });
  });

  it("makes a platform's AbortError one of ours", () => {
    expect(crossed(new DOMException("stopped", "AbortError"))).toBeInstanceOf(AbortError);
  });

  it("makes anything else internal, without losing what was said", () => {
    expect(crossed(new TypeError("x is undefined"))).toMatchObject({
      code: "internal",
      message: "TypeError: x is undefined",
    });
    expect(crossed("text")).toMatchObject({ code: "internal", message: "text" });
    expect(crossed(null).code).toBe("internal");
    expect(crossed(Object.assign(new Error("m"), { code: "ENOENT" })).code).toBe("internal");
  });

  it("survives details that can't be posted", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    expect(crossed({ code: "network", message: "m", details: circle }).details).toEqual({});
    expect(crossed({ code: "network", message: "m", details: { f: () => 1, n: 2 } }).details).toEqual({
      n: 2,
    });
  });
});
