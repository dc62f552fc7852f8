// Options that are refused: by name, with what was expected and what was given.

import { InvalidRequestError } from "./errors.js";

/** An error about the option `param`. */
export function refusal(param: string, message: string): InvalidRequestError {
  return new InvalidRequestError(message, { details: { param } });
}

/** The same where it has another value than it may have. */
export function unexpected(param: string, expected: string, got: string): InvalidRequestError {
  return refusal(param, `${param}: expected ${expected}, got ${got}`);
}

/** A value in a message: as it is where it is short, else by its type. */
export function shown(value: unknown): string {
  if (typeof value === "string") return value.length <= 40 ? JSON.stringify(value) : "a longer string";
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  return `a value of type ${typeof value}`;
}
