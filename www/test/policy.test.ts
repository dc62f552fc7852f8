// A Content-Security-Policy that keeps the worker from the model's host is told of where the load fails.
import { describe, expect, it } from "vitest";

import { PunaError } from "../src/errors.js";
import { Policy } from "../src/worker/policy.js";
import { rejectionOf } from "./support.js";

const failed = new PunaError("network", "no answer from https://models.example.org/a.gguf", {
  details: { url: "https://models.example.org/a.gguf" },
});

/** What a failure becomes, where the browser tells of this after it. */
async function explained(error: Error, effectiveDirective: string, blockedURI: string): Promise<unknown> {
  let tell: (event: { effectiveDirective: string; blockedURI: string }) => void = () => undefined;
  const policy = new Policy({
    addEventListener: (_, listener) => {
      tell = listener;
    },
  });
  const work = Promise.reject(error);
  const found = rejectionOf(policy.explain(work));
  queueMicrotask(() => {
    tell({ effectiveDirective, blockedURI });
  });
  return found;
}

describe("a policy", () => {
  it("that refuses the model's host is named by the load that fails", async () => {
    const error = await explained(failed, "connect-src", "https://models.example.org/");
    expect(error).toMatchObject({
      code: "network",
      message: expect.stringMatching(
        /connect-src must have https:\/\/models\.example\.org \(no answer/,
      ) as string,
      details: { url: "https://models.example.org/a.gguf", reason: "content_security_policy" },
      cause: failed,
    });
  });

  it.each([
    ["another host", failed, "connect-src", "https://other.example.org/"],
    ["another directive", failed, "script-src", "https://models.example.org/"],
    ["no address", failed, "connect-src", "wasm-eval"],
    [
      "another failure",
      new PunaError("integrity", "https://models.example.org/ is damaged"),
      "connect-src",
      "https://models.example.org/",
    ],
  ])("that refuses something else is not: %s", async (_, error, directive, blocked) => {
    expect(await explained(error, directive, blocked)).toBe(error);
  });

  it("has nothing to say of what works", async () => {
    const policy = new Policy({ addEventListener: () => undefined });
    expect(await policy.explain(Promise.resolve(3))).toBe(3);
  });
});
