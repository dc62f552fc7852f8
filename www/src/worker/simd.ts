// What of WebAssembly's SIMD this browser runs, found out by having it look at tiny modules.

import { UnsupportedDeviceError } from "../errors.js";

/** A build of the CPU's module. */
export type SimdBuild = "simd128" | "relaxed";

// A module with one function of type () → v128.
const HEAD = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0];
/** `i8x16.splat (i32.const 0)` */
const SPLAT = [0x41, 0, 0xfd, 0x0f];
/** `i32x4.relaxed_dot_i8x16_i7x16_add_s` */
const RELAXED_DOT = [0xfd, 0x93, 2];
const END = 0x0b;

const PROBES: Readonly<Record<SimdBuild, readonly number[]>> = {
  simd128: [...SPLAT, END],
  relaxed: [...SPLAT, ...SPLAT, ...SPLAT, ...RELAXED_DOT, END],
};

/** Whether the browser runs a build; `validate` is a parameter so that it can be tested without the browser's. */
export function runs(build: SimdBuild, validate: (module: BufferSource) => boolean): boolean {
  const body = [0, ...PROBES[build]];
  return validate(new Uint8Array([...HEAD, 0x0a, body.length + 2, 1, body.length, ...body]));
}

/** The build to take: the one asked for, or the best. Throws `unsupported_device` where none runs. */
export function chooseBuild(
  wanted: SimdBuild | undefined,
  validate: (module: BufferSource) => boolean,
): SimdBuild {
  const builds: SimdBuild[] = wanted === undefined ? ["relaxed", "simd128"] : [wanted];
  const build = builds.find((build) => runs(build, validate));
  if (build !== undefined) return build;
  throw new UnsupportedDeviceError(
    wanted === "relaxed"
      ? "this browser has no relaxed SIMD in WebAssembly: it takes Chrome or Edge 114 or Firefox 145; leave advanced.simd out"
      : "this browser has no SIMD in WebAssembly, without which a model would take minutes a word: it takes Chrome or " +
          "Edge 91, Firefox 89 or Safari 16.4, or newer",
    { details: { reason: "no_simd" } },
  );
}
