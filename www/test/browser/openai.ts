// The `openai` package as one file, for the browser tests.

export { default } from "openai";
