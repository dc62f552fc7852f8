// Objects of the platform's that a part of a message may hold beside a string.

import { LanguageModelToolCall, LanguageModelToolError, LanguageModelToolSuccess } from "./tool_values.js";

/** Whether a value is one of them; any other is read as a string. */
export function isPlatformObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return true;
  const tools = [LanguageModelToolCall, LanguageModelToolSuccess, LanguageModelToolError];
  if (tools.some((one) => value instanceof one)) return true;
  return MEDIA.some((name) => {
    const platform = (globalThis as Record<string, unknown>)[name];
    return typeof platform === "function" && value instanceof platform;
  });
}

/** What the platform has of `ImageBitmapSource` and of sounds, where there is a platform. */
const MEDIA: readonly string[] = [
  "AudioBuffer",
  "Blob",
  "HTMLCanvasElement",
  "HTMLImageElement",
  "HTMLVideoElement",
  "ImageBitmap",
  "ImageData",
  "OffscreenCanvas",
  "SVGImageElement",
  "VideoFrame",
];
