// Numbers as people read them.

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** Bytes in decimal units, as browsers and disks count: `98.4 MB`. */
export function bytes(count: number): string {
  let ix = 0;
  let value = count;
  while (value >= 999.5 && ix < UNITS.length - 1) {
    value /= 1000;
    ix++;
  }
  const digits = ix === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[ix] ?? "TB"}`;
}

/** A time to wait: `8 s`, `3 min`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return `${Math.round(seconds / 60)} min`;
}

/** A rate with as many digits as mean something. */
export function rate(perSecond: number): string {
  return perSecond >= 100 ? perSecond.toFixed(0) : perSecond.toFixed(1);
}

/** `1 token`, `2 tokens`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** What a model's address is called before the file has told its name. */
export function nameOf(source: string | Blob): string {
  if (source instanceof Blob) return source instanceof File ? source.name : "file";
  try {
    const { pathname, hostname } = new URL(source, document.baseURI);
    const parts = pathname.split("/").filter((part) => part !== "");
    const last = parts.at(-1) ?? hostname;
    // A manifest is named alike everywhere: its folder says more.
    return decodeURIComponent(last === "manifest.json" ? (parts.at(-2) ?? last) : last);
  } catch {
    return source;
  }
}
