// Conversations that are read ahead and saved.
import { describe, expect, it } from "vitest";

import { AbortError, InvalidRequestError } from "../src/errors.js";
import { loaded, rejectionOf, say } from "./support.js";

describe("a session", () => {
  it("is read, saved and taken again", async () => {
    const { model, worker } = await loaded();
    const session = await model.session({ messages: [...say("a"), ...say("b")] });
    expect([session.tokens, session.cachedTokens]).toEqual([2, 0]);
    const bytes = await session.save({ precision: "q8" });
    expect([...bytes]).toEqual([0, 1]);
    expect(worker.received.at(-1)).toMatchObject({ kind: "save", precision: "q8" });
    for (const source of [bytes, bytes.buffer]) {
      const again = await model.session(source);
      expect([again.tokens, again.cachedTokens]).toEqual([2, 2]);
    }
    expect(bytes.length, "what was given is the caller's").toBe(2);
  });

  it("is refused by what is wrong with it, before the worker hears of it", async () => {
    const { model, worker } = await loaded();
    const session = await model.session({ messages: say("a") });
    const sent = worker.received.length;
    const precision = await rejectionOf(session.save({ precision: "q4" as "q8" }));
    expect(precision).toBeInstanceOf(InvalidRequestError);
    expect(precision).toMatchObject({ details: { param: "precision" } });
    const signal = AbortSignal.abort();
    expect(await rejectionOf(session.save({ signal }))).toBeInstanceOf(AbortError);
    expect(await rejectionOf(model.session({ prompt: "a" }, { signal }))).toBeInstanceOf(AbortError);
    expect(worker.received.length).toBe(sent);
  });
});
