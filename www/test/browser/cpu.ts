// What the browser tests need to run the CPU's executor by itself, without the rest of the package.

export { CpuHost } from "../../src/worker/cpu.js";
export { startThread } from "../../src/worker/start.js";
export { ThreadHost } from "../../src/worker/thread_host.js";
export { Threads } from "../../src/worker/threads.js";
