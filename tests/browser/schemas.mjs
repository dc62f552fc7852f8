// Schemas of many kinds: each keyword that answers are held to, alone and with others. Texts and lists have bounds, so that a
// model that knows nothing comes to an end.

const text = { type: "string", maxLength: 12 };
const short = { type: "string", maxLength: 4 };
const object = (properties, more = {}) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});
const list = (items, maxItems, more = {}) => ({ type: "array", items, maxItems, ...more });

export const SCHEMAS = {
  // Types.
  string: text,
  integer: { type: "integer" },
  number: { type: "number" },
  boolean: { type: "boolean" },
  null: { type: "null" },
  "empty object": object({}),
  "empty list": list(text, 0),
  "several types": { type: ["boolean", "null", "integer"] },
  // Values.
  const: { const: { a: [1, "x", null] } },
  "const text with quotes": { const: 'say "é"\n' },
  "enum of texts": { enum: ["red", "green", "blue", "grey"] },
  "enum of kinds": { enum: [1, "1", null, true, [1]] },
  // Numbers.
  "integer from to": { type: "integer", minimum: -3, maximum: 17 },
  "integer between": { type: "integer", exclusiveMinimum: 100, exclusiveMaximum: 103 },
  "large integer": { type: "integer", minimum: 999_000, maximum: 1_000_100 },
  "number from to": { type: "number", minimum: 0.5, maximum: 1.25 },
  "negative number": { type: "number", minimum: -1, exclusiveMaximum: 0 },
  "multiple of": { type: "integer", multipleOf: 5, minimum: 10, maximum: 100 },
  // Texts.
  "length of a text": { type: "string", minLength: 3, maxLength: 5 },
  pattern: { type: "string", pattern: "^[A-Z]{2}-[0-9]{3}$" },
  "pattern inside": { type: "string", pattern: "[0-9]", maxLength: 10 },
  "pattern of alternatives": { type: "string", pattern: "^(foo|ba[rz]|qux{1,3})$" },
  date: { type: "string", format: "date" },
  "date and time": { type: "string", format: "date-time", maxLength: 32 },
  time: { type: "string", format: "time", maxLength: 24 },
  uuid: { type: "string", format: "uuid" },
  ipv4: { type: "string", format: "ipv4" },
  // Objects.
  "flat object": object({ name: text, age: { type: "integer", minimum: 0, maximum: 130 }, member: { type: "boolean" } }),
  "optional members": { ...object({ a: short, b: short, c: { type: "null" } }), required: ["b"] },
  "nested objects": object({ a: object({ b: object({ c: { type: "boolean" } }) }) }),
  "names that need quotes": object({ 'a "b"': { type: "boolean" }, "c\\d": { type: "null" }, "é\n": { type: "null" } }),
  "members by pattern and others": { type: "object", properties: { a: { type: "null" } }, patternProperties: { "^[b-f]{1,3}$": { type: "boolean" } }, required: ["a"], additionalProperties: false, maxProperties: 3 },
  "members by pattern": { type: "object", patternProperties: { "^x_[a-c]{1,2}$": { type: "integer", minimum: 0, maximum: 9 } }, additionalProperties: false, maxProperties: 2 },
  "a required member beside": { type: "object", properties: { a: { type: "boolean" } }, required: ["a", "z"], additionalProperties: short, maxProperties: 2 },
  // Lists.
  "list of texts": list(short, 3),
  "list of so many": list({ type: "boolean" }, 4, { minItems: 2 }),
  "list of lists": list(list({ type: "integer", minimum: 0, maximum: 9 }, 2), 2),
  "list of objects": list(object({ id: { type: "integer", minimum: 1, maximum: 99 }, tag: { enum: ["a", "b"] } }), 3, { minItems: 1 }),
  tuple: { type: "array", prefixItems: [{ type: "boolean" }, short, { type: "null" }], items: false, minItems: 3 },
  "tuple that goes on": { type: "array", prefixItems: [{ type: "null" }], items: { type: "boolean" }, minItems: 2, maxItems: 4 },
  // Put together.
  anyOf: { anyOf: [object({ a: { type: "boolean" } }), object({ b: { type: "null" } }), { type: "integer" }] },
  oneOf: { oneOf: [object({ kind: { const: "circle" }, r: { type: "integer", minimum: 0, maximum: 9 } }), object({ kind: { const: "square" }, side: { type: "boolean" } })] },
  allOf: { allOf: [{ type: "integer", minimum: 3 }, { maximum: 9 }] },
  "allOf of objects": { allOf: [{ type: "object", properties: { a: short }, required: ["a"] }, { properties: { b: { type: "null" } }, required: ["b"] }], additionalProperties: false, properties: { a: true, b: true } },
  nullable: object({ a: { anyOf: [short, { type: "null" }] } }),
  definition: { $ref: "#/$defs/point", $defs: { point: object({ x: { type: "integer", minimum: 0, maximum: 99 }, y: { $ref: "#/$defs/flag" } }), flag: { type: "boolean" } } },
  "definition of definitions": { $ref: "#/$defs/line", $defs: { line: object({ from: { $ref: "#/$defs/point" }, to: { $ref: "#/$defs/point" } }), point: list({ type: "integer", minimum: 0, maximum: 9 }, 2, { minItems: 2 }) } },
  tree: { $ref: "#/definitions/tree", definitions: { tree: object({ leaf: { type: "boolean" }, of: list({ $ref: "#/definitions/twig" }, 3) }), twig: object({ leaf: { type: "boolean" } }) } },
  "beside a reference": { $defs: { small: { type: "integer", maximum: 20 } }, $ref: "#/$defs/small", minimum: 10 },
  "like a form": object({
    title: text,
    date: { type: "string", format: "date" },
    guests: list(object({ name: short, status: { enum: ["yes", "no", "maybe"] }, plus: { type: "integer", minimum: 0, maximum: 5 } }), 2),
    place: object({ city: text, zip: { type: "string", pattern: "^[0-9]{5}$" } }),
    notes: { anyOf: [{ type: "null" }, text] },
  }),
};
