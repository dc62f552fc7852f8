// The `zod` package as one file, for the browser tests: clients write schemas in it.

export * as z from "zod";
