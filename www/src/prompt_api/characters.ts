// The characters that a piece of an expression stands for. The platform's own `RegExp` is asked, so that no table of classes,
// cases and properties is needed, and nothing differs from what a page would test an answer with.

/** First and last code points. */
export type Range = readonly [number, number];

/** A set of characters. */
export interface Characters {
  ranges: readonly Range[];
  /** Whether both halves of every character beyond U+FFFF are in it, where an expression goes by halves. */
  hasHalves: boolean;
}

/** Flags that change what a piece stands for. */
const MATTERING = /[isuv]/g;

/** The characters of `atom`, a piece that stands for one of them: `\d`, `[^,]`, `.`, `k`. */
export function charactersOf(atom: string, flags: string): Characters {
  const mattering = (flags.match(MATTERING) ?? []).join("");
  const known = `${mattering}/${atom}`;
  let characters = cache.get(known);
  if (characters === undefined) {
    characters = ask(atom, mattering);
    if (cache.size >= CACHED) cache.clear();
    cache.set(known, characters);
  }
  return characters;
}

/** Pieces that are remembered. Pages hold answers to the same few expressions. */
const CACHED = 64;
const cache = new Map<string, Characters>();

function ask(atom: string, flags: string): Characters {
  const byCodePoint = /[uv]/.test(flags);
  const ranges = runs(atom, flags, BASIC, (ix) => (ix < FIRST_HALF ? ix : ix + HALVES));
  if (!byCodePoint) {
    const halves = String.fromCharCode(...Array.from({ length: HALVES }, (_, ix) => FIRST_HALF + ix));
    return { ranges, hasHalves: new RegExp(`^(?:${atom})+$`, flags).test(halves) };
  }
  const beyond = runs(atom, flags, BEYOND, (ix) => 0x10000 + (ix >> 1));
  return { ranges: [...ranges, ...beyond], hasHalves: false };
}

/** The runs of characters of the set in a text that has all of them in order: each run is a range. */
function runs(atom: string, flags: string, text: () => string, codePointAt: (ix: number) => number): Range[] {
  const all: Range[] = [];
  for (const run of text().matchAll(new RegExp(`(?:${atom})+`, `${flags}g`))) {
    all.push([codePointAt(run.index), codePointAt(run.index + run[0].length - 1)]);
  }
  return all;
}

const FIRST_HALF = 0xd800;
/** Code units that are halves of characters, and no characters. */
const HALVES = 0x800;

/** All characters up to U+FFFF. */
const BASIC = lazily(() => {
  const units = new Uint16Array(0x10000 - HALVES);
  for (let ix = 0; ix < units.length; ix++) units[ix] = ix < FIRST_HALF ? ix : ix + HALVES;
  return decoded(units);
});

/** All others, two units each. */
const BEYOND = lazily(() => {
  const units = new Uint16Array(0x100000 * 2);
  for (let ix = 0; ix < units.length; ix += 2) {
    units[ix] = 0xd800 + (ix >> 11);
    units[ix + 1] = 0xdc00 + ((ix >> 1) & 0x3ff);
  }
  return decoded(units);
});

/** Units as text, in pieces that fit on the stack. */
function decoded(units: Uint16Array): string {
  const PIECE = 0x2000;
  let text = "";
  for (let at = 0; at < units.length; at += PIECE) {
    text += String.fromCharCode(...units.subarray(at, at + PIECE));
  }
  return text;
}

function lazily<Value>(make: () => Value): () => Value {
  let value: Value | undefined;
  return () => (value ??= make());
}
