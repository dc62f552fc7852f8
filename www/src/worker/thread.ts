// A thread of the CPU's executor: an instance of the module on the memory that all share.

import type { ThreadStart } from "../types/messages.js";
import { instantiate } from "./cpu_imports.js";

interface ThreadScope {
  postMessage(message: "serves"): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ThreadStart>) => void): void;
}

const scope = globalThis as unknown as ThreadScope;

scope.addEventListener("message", ({ data }) => {
  void serve(data);
});

async function serve({ module, memory, pool, ix, stack }: ThreadStart): Promise<void> {
  const exports = await instantiate(module, memory);
  // Each instance begins with the stack pointer of the first.
  if (exports.__stack_pointer !== undefined) exports.__stack_pointer.value = stack;
  scope.postMessage("serves");
  // For good: the thread is ended from outside.
  exports.serve(pool, ix);
}
