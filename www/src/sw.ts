// Everything that may be imported from "puna/sw", in a service worker.

export { serve, type ServeOptions } from "./sw/serve.js";
