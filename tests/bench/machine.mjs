// The machine that the figures are of.
import os from "node:os";

export function machine() {
  const cpus = os.cpus();
  return { cpu: cpus[0].model.trim(), cores: cpus.length, memoryBytes: os.totalmem(), system: `${os.type()} ${os.release()}`, node: process.version };
}
