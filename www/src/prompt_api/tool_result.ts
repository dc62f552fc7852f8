// What a model is told of a call: one text, whatever a tool gave.

import { domException } from "./errors.js";
import { LanguageModelToolError, type LanguageModelToolSuccess } from "./tool_values.js";

/** The text of what the page says of a call that it carried out. */
export function resultText(value: LanguageModelToolSuccess | LanguageModelToolError): string {
  if (value instanceof LanguageModelToolError) return errorText(value.errorMessage);
  const parts = value.result.map(({ type, value: part }, ix) => {
    if (type === "image" || type === "audio") {
      throw domException(
        "NotSupportedError",
        `result[${ix}].type: a tool says "text" or "object", not "${type}"`,
      );
    }
    return typeof part === "string" && type === "text" ? part : plainJson(part, `result[${ix}].value`);
  });
  return parts.join("\n");
}

/** How a model is told that a call came to nothing. */
export function errorText(message: string): string {
  return JSON.stringify({ error: message });
}

/** JSON of plain data; what is none, such as a function or an image, would silently become nothing. */
function plainJson(value: unknown, what: string): string {
  let json: string | undefined;
  try {
    if (isPlain(value)) json = JSON.stringify(value);
  } catch (cause) {
    throw domException("DataError", `${what}: can't be written as JSON`, cause);
  }
  if (json === undefined) throw domException("DataError", `${what}: expected plain data`);
  return json;
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || "toJSON" in value;
}
