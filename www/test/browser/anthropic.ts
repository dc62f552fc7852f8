// The `@anthropic-ai/sdk` package as one file, for the browser tests.

export { default } from "@anthropic-ai/sdk";
