// What can be told of a model before it is loaded.

import { PunaError, type inspect, type listModels, type load } from "../index.js";
import type { LoadOptions, ModelReport, ModelSource } from "../types/model.js";
import type { ChatModel } from "./behind.js";
import { domException } from "./errors.js";
import type { Availability } from "./types.js";

/** What loads models; given so that tests run without a browser. */
export interface Loader {
  load: (...given: Parameters<typeof load>) => Promise<ChatModel>;
  inspect: typeof inspect;
  listModels: typeof listModels;
}

/** Whether a model can be had, by its header alone; an `UnknownError` where that can't be told now. */
export async function availabilityOf(
  { inspect, listModels }: Loader,
  source: ModelSource,
  options: LoadOptions,
): Promise<Availability> {
  try {
    const report = await inspect(source, options);
    if (!report.device.canRun || !isForChats(report, options)) return "unavailable";
    return (await isKept(listModels, source, options)) ? "available" : "downloadable";
  } catch (error) {
    if (!(error instanceof PunaError)) throw error;
    if (error.code === "invalid_request") throw new TypeError(error.message, { cause: error });
    if (LASTING.includes(error.code)) return "unavailable";
    throw domException("UnknownError", `the model's header could not be read: ${error.message}`, error);
  }
}

/** What is so now will be so the next time. */
const LASTING: readonly PunaError["code"][] = [
  "bad_model_file",
  "out_of_memory",
  "unsupported_device",
  "unsupported_model",
];

/** Encoders make no texts, and a GGUF without a template of chats is none for them; a checkpoint has its own in another file. */
function isForChats(
  { embeddingDimensions, format, metadata }: ModelReport,
  { chatTemplate }: LoadOptions,
): boolean {
  if (embeddingDimensions !== null) return false;
  if (typeof chatTemplate === "string" || !format.startsWith("GGUF")) return true;
  return "tokenizer.chat_template" in metadata;
}

/** Whether all of it is on this machine. */
async function isKept(
  list: Loader["listModels"],
  source: ModelSource,
  { cache }: LoadOptions,
): Promise<boolean> {
  if (typeof source !== "string" && !(source instanceof URL)) return true;
  if (cache === "none") return false;
  const { location } = globalThis as { location?: Location };
  const base = "document" in globalThis ? document.baseURI : location?.href;
  // A model is kept under the address that was fetched, and a fragment is no part of that.
  const url = new URL(source, base);
  url.hash = "";
  return (await list()).some((one) => one.isComplete && one.url === url.href);
}
