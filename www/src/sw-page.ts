// Everything that may be imported from "puna/sw-page", in a page.

export { type AnswerOptions, type Answering, type Answerer, answer } from "./sw/answer.js";
export { ready, type ReadyOptions } from "./sw/ready.js";
