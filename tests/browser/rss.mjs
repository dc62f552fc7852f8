// Memory of the browser's processes, from /proc.
import fs from "node:fs";

/** Fields of a process; none if it has ended. */
function processOf(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    const rss = /^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
    return { pid, parent, bytes: Number(rss?.[1] ?? 0) * 1024, command: fs.readFileSync(`/proc/${pid}/cmdline`, "utf8") };
  } catch {
    return null;
  }
}

/** Resident bytes of the processes that `root` has started, and their children; those whose command line `matches`. */
export function residentBytes(root, matches = () => true) {
  const all = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).map(processOf).filter(Boolean);
  const inTree = new Set([root]);
  for (let before = 0; before !== inTree.size;) {
    before = inTree.size;
    for (const { pid, parent } of all) if (inTree.has(parent)) inTree.add(pid);
  }
  return all.filter(({ pid, command }) => inTree.has(pid) && matches(command)).reduce((sum, { bytes }) => sum + bytes, 0);
}
