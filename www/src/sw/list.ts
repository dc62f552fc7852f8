// The models of all pages, as the API lists them.

import { jsonReply, refusalReply } from "../wire/reply.js";
import type { Offer } from "./messages.js";

/** All models that are offered, or one of them; `null` where something else was asked for. */
export function listReply(offers: readonly Offer[], path: string): Response | null {
  const models = new Map<string, object>();
  // Of several of one name, the first that there was.
  for (const { model, since } of [...offers].sort((a, b) => a.since - b.since)) {
    if (model === null || models.has(model)) continue;
    models.set(model, { id: model, object: "model", created: Math.floor(since / 1000), owned_by: "puna" });
  }
  if (/\/models\/?$/.test(path)) return jsonReply(200, { object: "list", data: [...models.values()] });
  const part = /\/models\/([^/]+)\/?$/.exec(path)?.[1];
  if (part === undefined) return null;
  const id = decoded(part);
  const model = models.get(id);
  if (model !== undefined) return jsonReply(200, model);
  const message = `The model '${id}' does not exist: no open page of this origin offers it.`;
  return refusalReply(404, message, { param: "model", code: "model_not_found" });
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
