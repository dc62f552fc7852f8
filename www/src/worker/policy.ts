// What a Content-Security-Policy keeps the worker from fetching: of that the browser tells apart from the failure, which
// itself looks like any other of the network.

import { PunaError, toWire } from "../errors.js";

/** Where the browser tells of it: the scope of a worker. */
export interface PolicyScope {
  addEventListener(
    type: "securitypolicyviolation",
    listener: (event: Pick<SecurityPolicyViolationEvent, "effectiveDirective" | "blockedURI">) => void,
  ): void;
}

/** Origins that were asked for and that the policy does not allow. */
export class Policy {
  readonly #refused = new Set<string>();

  constructor(scope: PolicyScope) {
    scope.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
      const isAddress = /^https?:/.test(blockedURI);
      if (effectiveDirective === "connect-src" && isAddress) this.#refused.add(new URL(blockedURI).origin);
    });
  }

  /** What `work` gives; where it fails for the policy, an error that says so. */
  async explain<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      const { code, message, details } = toWire(error);
      if (code !== "network") throw error;
      // The browser tells of it when it has refused it.
      await new Promise((resolve) => setTimeout(resolve));
      const origin = [...this.#refused].find((it) => message.includes(it));
      if (origin === undefined) throw error;
      const said = `the Content-Security-Policy of this page does not allow it: connect-src must have ${origin} (${message})`;
      throw new PunaError("network", said, {
        details: { ...details, reason: "content_security_policy" },
        cause: error,
      });
    }
  }
}
