// What Linux says of processes: CPU time, memory, and how busy the machine is.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const unit = (name) => Number(execFileSync("getconf", [name], { encoding: "utf8" }));
const MS_PER_TICK = 1000 / unit("CLK_TCK");
const PAGE_BYTES = unit("PAGE_SIZE");

/** How long other work has to be little. */
const QUIET_MS = 2000;

/** How often memory is looked at. */
const LOOK_MS = 200;

/** A file of /proc; empty where the process has ended meanwhile. */
function read(path) {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The numbers of /proc/PID/stat after the name in brackets, which may hold anything: [1] is the parent. */
function stat(pid) {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** A process and all below it. */
export function tree(root) {
  const children = new Map();
  for (const name of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(stat(name)[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** User and system time of a process and all below it. */
export function cpuMs(root) {
  const ticks = tree(root).map((pid) => {
    const [user, system] = stat(pid).slice(11, 13).map(Number);
    return user + system || 0;
  });
  return ticks.reduce((a, b) => a + b, 0) * MS_PER_TICK;
}

/** Whether a process of a browser runs a page or talks to the GPU, by its command line: its words, and the empty one at the end. */
export function isRendererOrGpu(words) {
  const type = words.find((word) => word.startsWith("--type="))?.slice(7);
  if (type) return type === "renderer" || type === "gpu-process";
  return words.includes("-contentproc") && ["tab", "gpu"].includes(words.filter(Boolean).at(-1));
}

/** Resident bytes of a process and all below it: of those whose command line, by its words, `counts`. */
export function residentBytes(root, counts = () => true) {
  const bytes = tree(root).map((pid) => {
    if (!counts(read(`/proc/${pid}/cmdline`).split(/[\0 ]/))) return 0;
    return Number(read(`/proc/${pid}/statm`).split(" ")[1] ?? 0) * PAGE_BYTES;
  });
  return bytes.reduce((a, b) => a + b, 0);
}

/** Watches memory from now on; `growth` is how far the peak is above what was there at the start. */
export class MemoryWatch {
  #root;
  #counts;
  #first;
  #peak;
  #timer;

  /** Of a browser its renderers and GPU process; of another program `all` that it starts. */
  constructor(root, { all = false } = {}) {
    this.#root = root;
    this.#counts = all ? undefined : isRendererOrGpu;
    this.#first = this.#peak = residentBytes(root, this.#counts);
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  #look() {
    this.#peak = Math.max(this.#peak, residentBytes(this.#root, this.#counts));
  }

  growth() {
    this.#look();
    return this.#peak - this.#first;
  }

  stop() {
    clearInterval(this.#timer);
  }
}

/** Time that all cores together have worked since the machine started; what a host took from a guest counts as work. */
function machineMs() {
  const line = read("/proc/stat").split("\n", 1)[0];
  const [user, nice, system, , , irq, softirq, steal] = line.trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) * MS_PER_TICK;
}

/** Waits until the machine is less busy than `busy`, at most `ms`. */
export async function waitForQuiet(busy, ms, cores) {
  const start = performance.now();
  while (performance.now() - start < ms) {
    const span = new Span(process.pid, cores);
    await sleep(Math.min(QUIET_MS, ms));
    if (span.end().busy < busy) return;
  }
}

/** Measures a span of time on this machine: from its making until `end`. */
export class Span {
  #root;
  #cores;
  #start = performance.now();
  #machine = machineMs();
  #cpu;
  #own = process.cpuUsage();

  constructor(root, cores) {
    this.#root = root;
    this.#cores = cores;
    this.#cpu = cpuMs(root);
  }

  /** CPU time of the process and all below it so far. */
  cpuMs() {
    return cpuMs(this.#root) - this.#cpu;
  }

  /** `busy` is the share of the machine that others than the process and this one took. */
  end() {
    const wallMs = performance.now() - this.#start;
    const cpu = this.cpuMs();
    const { user, system } = process.cpuUsage(this.#own);
    const own = this.#root === process.pid ? 0 : (user + system) / 1000;
    const others = machineMs() - this.#machine - cpu - own;
    return { cpuMs: cpu, busy: Math.min(1, Math.max(0, others / (wallMs * this.#cores))) };
  }
}
