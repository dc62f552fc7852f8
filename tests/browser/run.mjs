// Runs the browser suite on the built package.
//
//   node tests/browser/run.mjs --browser chromium|firefox --program PATH [--adapter swiftshader|lavapipe]
//                              [--full] [--only NOUN[,NOUN]] [--name TEXT]
//
// `cargo xtask test` builds what it needs and calls it; the last line is the result as JSON.
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { launch, probe } from "./browser.mjs";
import { checkFiles, Context, root } from "./context.mjs";
import { collect } from "./suite.mjs";

/** The most basic: a failure there explains those after it. */
const FIRST = ["cold_load", "chat"];

/** Every file of tests is one's noun. */
const NOUNS = [...new Set([...FIRST, ...fs.readdirSync(path.join(root, "tests/browser/test")).map((file) => path.basename(file, ".mjs"))])];

/** What a browser without WebGPU, as many come, must do as well. */
const NOUNS_WITHOUT_WEBGPU = [
  "cold_load",
  "chat",
  "ai_sdk_client",
  "anthropic_client",
  "langchain_client",
  "openai_client",
  "openai_shape",
  "prompt_api",
  "cdn",
  "content_policy",
  "remote",
  "structured",
  "conversations",
  "bad_request",
  "checkpoint",
  "embeddings",
  "inspect",
  "adapters",
  "service_worker",
  "unicode",
  "unload",
  "recovery",
  "cpu_kernels",
  "cpu_device",
  "cpu_model",
  "demo_page",
];

/** What each adapter must be: a browser that silently took another would make the other's tests count for this one. */
const ADAPTERS = {
  swiftshader: (found) => /swiftshader/i.test(found.name) && found.subgroups && !found.f16,
  // Firefox names no adapter; of those in reach only this one has f16 and bindings of 128 MiB.
  lavapipe: (found) => (found.name === "" || /llvmpipe|lavapipe/i.test(found.name)) && found.f16 && found.maxBindingBytes === 2 ** 27,
};

const { values: options } = parseArgs({
  options: {
    browser: { type: "string", default: "chromium" },
    program: { type: "string" },
    // "none": the browser as it comes, which must have no WebGPU then.
    adapter: { type: "string" },
    full: { type: "boolean", default: false },
    only: { type: "string" },
    name: { type: "string", default: "" },
  },
});
const program = options.program ?? { chromium: "/usr/bin/chromium", firefox: "/usr/bin/firefox-esr" }[options.browser];
if (!program || !fs.existsSync(program)) {
  throw new Error(`no browser at ${program}: name it with --program PATH, or let \`cargo xtask test\` find it`);
}
checkFiles();

const name = options.browser;
const out = path.join(root, "tests/out", name);
fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(out, { recursive: true });

/** How puppeteer's errors begin when there is no tab any more. */
const GONE = /^Protocol error \(.*\): (Target|Session|Connection) closed/;

const hasWebGpu = options.adapter !== "none";
let running = await launch(name, program, hasWebGpu);
const { label, facts } = await adapter();
console.log(`${running.version} on ${label}: ${facts}`);

/**
 * What other runs test: what does not touch WebGPU, Firefox as it comes, for `auto` takes no software adapter; and, unless
 * this is a full run, what differs least between browsers.
 */
const elsewhere = {
  firefox: [
    "ai_sdk_client",
    "langchain_client",
    "cdn",
    "content_policy",
    "cpu_kernels",
    "cpu_device",
    "cpu_model",
    "demo_page",
    "prompt_api",
    "service_worker",
    ...(options.full ? [] : ["adapters", "anthropic_client", "remote"]),
  ],
  chromium: options.full
    ? []
    : [
        "adapters",
        "ai_sdk_client",
        "anthropic_client",
        "bad_file",
        "bad_request",
        "checkpoint",
        "conversations",
        "decode_loop",
        "embeddings",
        "langchain_client",
        "no_range",
        "openai_client",
        "openai_shape",
        "real_model",
        "sampling",
        "shards",
        "split",
        "stored_models",
        "structured",
        "tokens",
      ],
}[name];
const withWebGpu = NOUNS.filter((noun) => !elsewhere.includes(noun));
// With WebGPU these are run on the CPU as well.
const withoutWebGpu = NOUNS_WITHOUT_WEBGPU.filter((noun) => options.full || !["checkpoint", "embeddings"].includes(noun));
const nouns = options.only ? options.only.split(",") : hasWebGpu ? withWebGpu : withoutWebGpu;
const tests = (await collect(nouns, { browser: name, full: options.full })).filter((test) => test.name.includes(options.name));
const failures = [];
/** Tests that were run again, for the tab or the browser had gone under them. One may: software adapters crash now and then. */
const again = [];
let passed = 0;
for (const test of tests) {
  const title = `${test.noun}: ${test.name}`;
  const start = performance.now();
  let failure = await runOne(test);
  if (failure !== null && GONE.test(failure) && again.length === 0) {
    again.push(title);
    console.log(`again   ${title}: the tab is gone\n${failure.replace(/^/gm, "        ")}`);
    failure = await runOne(test);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (failure === null) {
    passed += 1;
    console.log(`ok      ${title} (${seconds} s)`);
  } else {
    failures.push(`${title}: ${failure.split("\n", 1)[0]}`);
    console.log(`FAILED  ${title} (${seconds} s)\n${failure.replace(/^/gm, "        ")}`);
  }
}
await running.close();
console.log(`${passed} passed, ${failures.length} failed`);
console.log(`result: ${JSON.stringify({ browser: running.version, adapter: `${label} (${facts})`, passed, again, failures })}`);
process.exit(failures.length > 0 || passed === 0 ? 1 : 0);

function newContext() {
  const another = (how) => launch(name, program, hasWebGpu, how);
  return new Context({ browser: running.browser, name, full: options.full, hasWebGpu, launch: another });
}

/** The adapter of this browser, which must be the one asked for. */
async function adapter() {
  const context = newContext();
  try {
    await context.site.start();
    const page = await context.visit("/probe.html");
    const found = await probe(page);
    await page.close();
    if (!hasWebGpu) {
      if (found !== null) throw new Error(`${running.version} has WebGPU, and was to have none: ${JSON.stringify(found)}`);
      return { label: "no adapter", facts: "without WebGPU" };
    }
    if (found === null) throw new Error(`${running.version} gives no WebGPU adapter: a Vulkan driver is missing (\`cargo xtask test\` installs one)`);
    if (options.adapter && !ADAPTERS[options.adapter](found)) {
      throw new Error(`${running.version} gives another adapter than ${options.adapter}: ${JSON.stringify(found)}`);
    }
    const has = [found.f16 ? "f16" : "no f16", found.subgroups ? "subgroups" : "no subgroups"];
    return {
      label: found.name || options.adapter || "an adapter without a name",
      facts: [...has, `bindings up to ${found.maxBindingBytes / 2 ** 20} MiB`].join(", "),
    };
  } catch (error) {
    await running.close();
    throw error;
  } finally {
    await context.site.stop();
  }
}

/** `null` when the test passed, else what went wrong. */
async function runOne(test) {
  if (!running.browser.connected) {
    await running.close();
    running = await launch(name, program, hasWebGpu);
  }
  const context = newContext();
  const limit = new AbortController();
  try {
    const late = sleep(test.limits.seconds * 1000, null, { signal: limit.signal }).then(() => {
      throw new Error(`took longer than ${test.limits.seconds} s`);
    });
    late.catch(() => {});
    await Promise.race([context.open().then(() => test.run(context)), late]);
    return null;
  } catch (error) {
    const shot = path.join(out, `${test.noun}-${failures.length}.png`);
    await Promise.race([context.page?.screenshot({ path: shot }), sleep(5000)]).catch(() => {});
    const lines = context.consoleTail();
    return [error.message, stack(error), ...(lines.length > 0 ? ["console:", ...lines.map((line) => `  ${line}`)] : [])].join("\n");
  } finally {
    limit.abort();
    await Promise.race([context.close(), sleep(10_000)]);
  }
}

/** Where in a test file the error comes from. */
function stack(error) {
  const line = (error.stack ?? "").split("\n").find((line) => line.includes("/test/"));
  return line?.trim() ?? "";
}
