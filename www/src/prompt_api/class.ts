// The class that takes the place of the browser's own `LanguageModel`.

import type { ModelSource } from "../types/model.js";
import type { Loader } from "./availability.js";
import { Backing, type BackingOptions } from "./backing.js";
import type { ChatModel } from "./behind.js";
import { availability, create, params } from "./create.js";
import { Session } from "./session.js";
import type { Availability, LanguageModelConstructor, LanguageModelParams } from "./types.js";

/** `languageModel` with what loads models given. */
export function languageModelIn(
  loader: Loader,
  source: ModelSource | ChatModel,
  options: BackingOptions,
): LanguageModelConstructor {
  const backing = new Backing(loader, source, options);
  class LanguageModel extends Session {
    static create(options?: unknown): Promise<Session> {
      return create(backing, LanguageModel, options);
    }

    static availability(options?: unknown): Promise<Availability> {
      return availability(backing, options);
    }

    static params(): Promise<LanguageModelParams | null> {
      return params(backing);
    }
  }
  // Web IDL's types of arguments are narrower than what is read: anything may come, and is told what is wrong with it.
  return LanguageModel as unknown as LanguageModelConstructor;
}
