import path from "node:path";

export default {
  output: "export",
  // The projects share their packages, and what they ask.
  turbopack: { root: path.resolve(import.meta.dirname, "../..") },
};
