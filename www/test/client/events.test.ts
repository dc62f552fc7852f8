// Server-sent events, wherever the network cuts them.
import { describe, expect, it } from "vitest";

import { EventReader, type ServerEvent } from "../../src/client/events.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What is read of a stream that comes in pieces of so many bytes. */
function read(stream: Uint8Array, size: number): ServerEvent[] {
  const reader = new EventReader();
  const events: ServerEvent[] = [];
  for (let at = 0; at < stream.length; at += size)
    events.push(...reader.push(stream.subarray(at, at + size)));
  return [...events, ...reader.end()];
}

describe("events", () => {
  const LINES = [
    ": a comment",
    "event: named",
    "id: 7",
    'data: {"a":"🦙"}',
    "",
    "data:two",
    "data:  lines",
    "",
    "event: without data",
    "",
    "data",
    "",
    "data: last",
    "",
  ];
  const EXPECTED = [
    { type: "named", data: '{"a":"🦙"}' },
    { type: "", data: "two\n lines" },
    { type: "", data: "" },
    { type: "", data: "last" },
  ];

  it.each(["\n", "\r\n", "\r"])("are the same wherever they are cut, with lines that end in %j", (end) => {
    const stream = bytes(`\uFEFF${LINES.join(end)}${end}`);
    for (let size = 1; size <= stream.length; size++) expect(read(stream, size)).toEqual(EXPECTED);
  });

  it("are given as soon as they end, and the last one though its empty line is missing", () => {
    const reader = new EventReader();
    expect(reader.push(bytes("data: a\n"))).toEqual([]);
    expect(reader.push(bytes("\ndata: b"))).toEqual([{ type: "", data: "a" }]);
    expect(reader.end()).toEqual([{ type: "", data: "b" }]);
    expect(reader.end()).toEqual([]);
  });

  it("that never end are refused, in one line or in many", () => {
    const piece = bytes("x".repeat(2 ** 20));
    const oneLine = new EventReader();
    const lines = new EventReader();
    expect(() => {
      for (let ix = 0; ix < 20; ix++) oneLine.push(piece);
    }).toThrow(RangeError);
    expect(() => {
      for (let ix = 0; ix < 20; ix++) lines.push(bytes(`data: ${"x".repeat(2 ** 20)}\n`));
    }).toThrow(RangeError);
  });
});
