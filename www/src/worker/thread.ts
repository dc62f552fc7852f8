// A thread of the CPU's executor: an instance of the module on the memory that all share.

import type { ThreadStart } from "../types/messages.js";
import { instantiate } from "./cpu_imports.js";

interface ThreadScope {
  addEventListener(type: "message", listener: (event: MessageEvent<MessagePort>) => void): void;
}

const scope = globalThis as unknown as ThreadScope;

scope.addEventListener("message", ({ data: engine }) => {
  engine.onmessage = ({ data }: MessageEvent<ThreadStart>) => {
    void serve(data, engine);
  };
  engine.onmessageerror = () => {
    // Reaches the page as this worker's failure.
    throw new Error("the module or its memory could not be read");
  };
});

async function serve({ module, memory, pool, ix, stack }: ThreadStart, engine: MessagePort): Promise<void> {
  const exports = await instantiate(module, memory);
  // Each instance begins with the stack pointer of the first.
  if (exports.__stack_pointer !== undefined) exports.__stack_pointer.value = stack;
  engine.postMessage("serves");
  // For good: the thread is ended from outside.
  exports.serve(pool, ix);
}
