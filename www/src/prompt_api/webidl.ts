// Values of callers, read as Web IDL has it: what can't be converted is a `TypeError` that names where it stands.

/** A value that can have members, or none for what is as good as absent. */
export function dictionary(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" && typeof value !== "function") {
    throw new TypeError(`${what}: expected an object, got ${shown(value)}`);
  }
  return value as Record<string, unknown>;
}

/** The items of a sequence: of anything that can be iterated. */
export function sequence(value: unknown, what: string): unknown[] {
  if (!isIterable(value)) throw new TypeError(`${what}: expected an array, got ${shown(value)}`);
  return [...value];
}

/** Whether a value is read as a sequence where it may be a string, too. */
export function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

/** A string; other values become one. */
export function domString(value: unknown, what: string): string {
  if (typeof value === "symbol") throw new TypeError(`${what}: expected a string, got a symbol`);
  return String(value);
}

/** One of some strings. */
export function enumeration<Value extends string>(
  value: unknown,
  values: readonly Value[],
  what: string,
): Value {
  const text = domString(value, what);
  const known = values.find((one) => one === text);
  if (known === undefined) {
    const expected = values.map((one) => JSON.stringify(one)).join(", ");
    throw new TypeError(`${what}: expected one of ${expected}, got ${shown(value)}`);
  }
  return known;
}

/** A number, which may be infinite. */
export function unrestrictedDouble(value: unknown, what: string): number {
  if (typeof value === "symbol" || typeof value === "bigint") {
    throw new TypeError(`${what}: expected a number, got a ${typeof value}`);
  }
  return Number(value);
}

/** A member that there must be. */
export function required(members: Readonly<Record<string, unknown>>, name: string, what: string): unknown {
  const value = members[name];
  if (value === undefined) throw new TypeError(`${what}.${name}: missing`);
  return value;
}

/** A signal, if there is one. */
export function abortSignal(value: unknown, what: string): AbortSignal | null {
  if (value === undefined) return null;
  // Another realm's, a frame's for example, is none of ours.
  if (typeof value === "object" && value !== null && "aborted" in value && "addEventListener" in value) {
    return value as AbortSignal;
  }
  throw new TypeError(`${what}: expected an AbortSignal, got ${shown(value)}`);
}

/** A value in a message: as it is where it is short, else by its type. */
export function shown(value: unknown): string {
  if (typeof value === "string") return value.length <= 40 ? JSON.stringify(value) : "a longer string";
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  return value === undefined ? "undefined" : `a value of type ${typeof value}`;
}
