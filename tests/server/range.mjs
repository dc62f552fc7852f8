// The header `Range`, for one range of bytes.

/** What the header asks of a file: `null` for all of it, inclusive offsets, or "unsatisfiable". */
export function parseRange(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (!match[1] && !match[2])) return null;
  const first = match[1] ? Number(match[1]) : Math.max(0, size - Number(match[2]));
  const last = match[1] && match[2] ? Math.min(Number(match[2]), size - 1) : size - 1;
  if (match[1] && match[2] && Number(match[1]) > Number(match[2])) return null;
  return first > last ? "unsatisfiable" : { first, last };
}
