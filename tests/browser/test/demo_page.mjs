// The page that a person sees: a model by its address, a chat, stop, a new chat, errors, a narrow screen, no network.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { REAL, root } from "../context.mjs";
import { test } from "../suite.mjs";

const WIDE = { width: 1200, height: 800 };
const NARROW = { width: 360, height: 640 };

const open = (t, address, more = "") => t.visit(`/demo/?model=${encodeURIComponent(address)}${more}`);
const isShown = (page, selector) => page.$eval(selector, (element) => element.checkVisibility());
const logText = (page) => page.$eval("#log", (log) => log.innerText);

/** Waits for `ask` to hold in the page; says what the page showed where it does not. */
async function until(page, what, ask, seconds) {
  const end = Date.now() + seconds * 1000;
  while (!(await ask())) {
    if (Date.now() > end) {
      const text = await page.evaluate(() => document.body.innerText);
      throw new Error(`${what}: not after ${seconds} s; the page shows:\n${text.slice(0, 2000)}`);
    }
    await sleep(200);
  }
}

async function shot(t, page, name) {
  const folder = path.join(root, "tests/out", t.browserName);
  fs.mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `page-${name}.png`) });
}

const canChat = (page) => until(page, "the message field", () => isShown(page, "#prompt"), 240);

/** Sends by the keyboard alone and waits for the answer to begin. */
async function ask(page, question) {
  await page.focus("#prompt");
  await page.keyboard.type(question);
  await page.keyboard.press("Enter");
  // The question is in the log at once; the answer makes it longer.
  await until(page, "the question in the log", async () => (await logText(page)).includes(question), 10);
  const before = (await logText(page)).length;
  await until(page, "the first words of the answer", async () => (await logText(page)).length > before + 5, 240);
}

/** The last answer did not just end: its line of numbers tells that it was stopped. */
async function saysStopped(page) {
  const facts = await page.$$eval("#log .stats", (all) => [...(all.at(-1)?.children ?? [])].map((fact) => fact.textContent));
  assert.ok(facts.includes("stopped"), `the line says: ${facts.join(", ")}`);
}

test("loads the real model, chats, stops, starts anew", { seconds: 900 }, async (t) => {
  const page = await open(t, t.url(REAL));
  await page.setViewport(WIDE);
  try {
    await canChat(page);
    assert.match(await page.$eval("#model-name", (element) => element.innerText), /SmolLM2/i);
    assert.notEqual((await page.$eval("#device", (element) => element.innerText)).trim(), "", "the device is named");
    await ask(page, "Tell me a long story about llamas.");
    await shot(t, page, "answering");
    assert.ok(await isShown(page, "#stop"), "the answer can be stopped");
    await page.click("#stop");
    await until(page, "the stop", async () => isShown(page, "#send"), 60);
    await saysStopped(page);
    const stopped = await logText(page);
    await sleep(1500);
    assert.equal(await logText(page), stopped, "nothing is added after the stop");
    await shot(t, page, "stopped");

    await page.click("#new-chat");
    assert.ok(!(await logText(page)).includes("llamas"), "the conversation is gone");
    // Long enough that it is not over before the key is pressed.
    await ask(page, "Tell me a long story about mountains.");
    await page.keyboard.press("Escape");
    await until(page, "the stop by the Escape key", async () => isShown(page, "#send"), 60);
    await saysStopped(page);

    await page.setViewport(NARROW);
    await sleep(300);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wider <= 0, `the page is ${wider} px wider than a narrow screen`);
    assert.ok(await isShown(page, "#prompt"), "the message field is there on a narrow screen");
    await shot(t, page, "narrow");
  } finally {
    await page.close();
  }
});

test("shows its progress in bytes while it loads", { seconds: 300 }, async (t) => {
  t.host.faults.add(REAL.path, { kind: "throttle", bytesPerSecond: 4e6 });
  const page = await open(t, t.url(REAL));
  try {
    const text = () => page.$eval("#start-body", (body) => body.innerText);
    await until(page, "bytes and a speed", async () => /\d\s*MB\b[^]*\/\s*s\b/.test(await text()), 60);
    await until(page, "a progress bar that moves", () => progress(page), 60);
    await shot(t, page, "loading");
  } finally {
    await page.close();
  }
});

/** Whether a progress bar is between its ends. */
function progress(page) {
  return page.evaluate(() => {
    const bar = document.querySelector("progress, [role=progressbar]");
    if (!bar) return false;
    const value = Number(bar.getAttribute("aria-valuenow") ?? bar.value);
    const max = Number(bar.getAttribute("aria-valuemax") ?? bar.max ?? 100);
    return value > 0 && value < max;
  });
}

test("tells a person what is wrong when there is no such model", async (t) => {
  const page = await open(t, `${t.host.origin}/models/no-such-model.gguf`);
  try {
    const text = () => page.evaluate(() => document.body.innerText);
    await until(page, "the error", async () => /404|not found|no such/i.test(await text()), 60);
    await shot(t, page, "error");
  } finally {
    await page.close();
  }
});

test("opens and chats a second time with both servers stopped", { seconds: 900 }, async (t) => {
  const page = await open(t, t.url(REAL), `&system=${encodeURIComponent("You are a helpful assistant.")}`);
  try {
    await canChat(page);
    await page.evaluate(() => localStorage.setItem("puna.settings", JSON.stringify({ temperature: 0 })));
    // The service worker keeps the page's files once it is in charge.
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    await page.reload();
    await canChat(page);
    await t.host.stop();
    await t.site.stop();
    await page.reload();
    await canChat(page);
    await ask(page, "What is the capital of France?");
    // Under the system prompt of its own template this model answers with French words in a loop.
    await until(page, "the answer", async () => (await logText(page)).includes("Paris"), 120);
    assert.equal(await page.$eval("#system-prompt", (field) => field.value), "You are a helpful assistant.");
  } finally {
    await page.close();
  }
});
