// What a model runs on, in words.

import type { DeviceInfo } from "../../src/index.js";

/** A few words for the top of the page. */
export function deviceName(device: DeviceInfo): string {
  if (device.kind === "cpu") return `${device.name}, ${threads(device.threads)}`;
  return device.isSoftware ? `${device.name} (software: slow)` : device.name;
}

/** A sentence or two: by what, and why. */
export function deviceDetails(device: DeviceInfo): string {
  const how =
    device.kind === "cpu"
      ? `Computed by the processor, ${device.simd}`
      : `Computed by ${device.name}, shaders: ${device.variant}, ${device.precision}`;
  return `${how}. Why: ${device.reason}`;
}

/** Rows of a table: a term and what it is. */
export function deviceRows(device: DeviceInfo): [string, string][] {
  if (device.kind === "webgpu") {
    return [
      ["GPU", device.name],
      ["Shaders", `${device.variant}, ${device.precision}`],
    ];
  }
  const rows: [string, string][] = [
    ["Device", `processor, ${device.simd}`],
    ["Threads", `${threads(device.threads)} to write, ${device.prefillThreads} to read`],
    ["No GPU", device.reason],
  ];
  if (device.threadsLimitedBy !== null) rows.push(["One thread", device.threadsLimitedBy]);
  return rows;
}

function threads(count: number): string {
  return count === 1 ? "1 thread" : `${count} threads`;
}
