// The built page carries a Content-Security-Policy: it runs nothing but its own files. Models may come from
// anywhere.

import type { Plugin } from "vite";

const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "manifest-src 'self'",
  "connect-src 'self' https: http: blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Puts the policy into the page. The development server injects styles and so goes without. */
export function contentPolicy(): Plugin {
  return {
    name: "puna-content-policy",
    apply: "build",
    transformIndexHtml: () => [
      {
        tag: "meta",
        attrs: { "http-equiv": "Content-Security-Policy", content: POLICY },
        injectTo: "head-prepend",
      },
    ],
  };
}
