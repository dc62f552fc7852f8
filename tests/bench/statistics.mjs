// Medians, spreads and ratios.

/** The middle of some numbers with the least and the largest, or `null` where there are none. */
export function summarize(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, least: sorted[0], most: sorted.at(-1), count: sorted.length };
}

/** The best of some summaries by their medians: the largest where more is better, else the smallest. */
export function best(summaries, more) {
  const there = summaries.filter((summary) => summary !== null);
  if (there.length === 0) return null;
  return there.reduce((a, b) => (a.median < b.median) === more ? b : a);
}

/** How many times better `own` is than `peer`: above 1 where it is ahead, whichever way the figure counts. */
export function ratio(own, peer, more) {
  if (own === null || peer === null || own.median <= 0 || peer.median <= 0) return null;
  return more ? own.median / peer.median : peer.median / own.median;
}
