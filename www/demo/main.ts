// The page: choose a model, watch it load, talk to it.

import { type Model, load } from "../src/index.js";
import { Conversation } from "./conversation.js";
import { deviceDetails, deviceName } from "./view/device.js";
import { announce, button, byId } from "./view/dom.js";
import { codeOf, errorCard } from "./view/explain.js";
import { LoadingView } from "./view/loading.js";
import { SettingsDrawer } from "./view/settings.js";
import { startForm, takeDrops } from "./view/start.js";
import { storedModels } from "./view/stored.js";

const page = {
  start: byId("start", HTMLElement),
  startBody: byId("start-body", HTMLElement),
  chat: byId("chat", HTMLElement),
  bottom: byId("bottom", HTMLElement),
  modelName: byId("model-name", HTMLElement),
  device: byId("device", HTMLElement),
  weakness: byId("weakness", HTMLElement),
  composer: byId("composer", HTMLFormElement),
  prompt: byId("prompt", HTMLTextAreaElement),
  send: byId("send", HTMLButtonElement),
  stop: byId("stop", HTMLButtonElement),
  newChat: byId("new-chat", HTMLButtonElement),
  openSettings: byId("open-settings", HTMLButtonElement),
};

/** Below this a model knows little and invents the rest. */
const SMALL_MODEL_BYTES = 700_000_000;

const drawer = new SettingsDrawer(() => {
  void choose();
});
/** Counts what was asked of the page: a choice that is not the last one gives way wherever it waits. */
let turns = 0;
let model: Model | null = null;
let conversation: Conversation | null = null;
let loading: AbortController | null = null;
let source: string | Blob | null = null;
/** The end of the model before: its memory is free. */
let freed: Promise<void> = Promise.resolve();

/** The first screen, whatever was there before. */
async function choose(error?: unknown): Promise<void> {
  const turn = ++turns;
  await leave();
  if (turn !== turns) return;
  const address = typeof source === "string" ? source : "";
  const form = startForm(address, (chosen) => {
    void open(chosen);
  });
  const wasStopped = error === undefined || codeOf(error) === "aborted";
  const again = button(
    "Try again",
    () => {
      if (source !== null) void open(source);
    },
    "primary",
  );
  const kept = storedModels((url) => {
    void open(url);
  });
  page.startBody.replaceChildren(...(wasStopped ? [] : [errorCard(error, again)]), form, kept);
  show("start");
}

/** Ends what there is: a load, an answer, a model. */
async function leave(): Promise<void> {
  loading?.abort();
  loading = null;
  conversation?.end();
  conversation = null;
  if (model !== null) freed = model.unload();
  model = null;
  drawer.describe(null);
  page.modelName.textContent = "";
  page.device.hidden = true;
  await freed;
}

/** Loads a model and starts a conversation. */
async function open(chosen: string | Blob): Promise<void> {
  const turn = ++turns;
  await leave();
  if (turn !== turns) return;
  source = chosen;
  keepInAddress(chosen);
  const abort = new AbortController();
  loading = abort;
  const view = new LoadingView(chosen, () => {
    abort.abort();
  });
  page.startBody.replaceChildren(view.element);
  show("start");
  announce("Loading the model");
  try {
    const loaded = await load(chosen, {
      signal: abort.signal,
      onProgress: (event) => {
        view.show(event);
      },
    });
    // Something else may have been asked for meanwhile.
    if (turn === turns) begin(loaded);
    else await loaded.unload();
  } catch (error) {
    if (turn === turns) await choose(error);
  }
}

/** What the model runs on, which may be something else where it was loaded again. */
function showDevice({ device }: Model): void {
  page.device.textContent = deviceName(device);
  page.device.title = deviceDetails(device);
  page.device.hidden = false;
}

/** A model is there. */
function begin(loaded: Model): void {
  loading = null;
  model = loaded;
  const { info } = loaded;
  page.modelName.textContent = info.name;
  showDevice(loaded);
  page.weakness.textContent =
    info.fileBytes < SMALL_MODEL_BYTES
      ? "A very small model: it writes well and knows little. Check what it says."
      : "Models make mistakes. Check what this one says.";
  drawer.describe(loaded);
  newChat();
  announce(`${info.name} is ready`);
}

/** Forgets what was said. */
function newChat(): void {
  conversation?.end();
  if (model === null) return;
  conversation = new Conversation(model, {
    settings: () => drawer.settings,
    onBusy: showBusy,
    onNewChat: newChat,
    onReload: () => {
      if (source !== null) void open(source);
    },
  });
  show("chat");
  showBusy(false);
  page.prompt.focus();
}

function show(screen: "start" | "chat"): void {
  page.start.hidden = screen !== "start";
  page.chat.hidden = screen !== "chat";
  page.bottom.hidden = screen !== "chat";
  page.newChat.hidden = screen !== "chat";
  document.body.dataset["screen"] = screen;
}

function showBusy(isBusy: boolean): void {
  // Where the focus was on the button that goes, it moves to the field and not to nowhere.
  const { activeElement } = document;
  const hadFocus =
    activeElement === page.stop || activeElement === page.send || activeElement === document.body;
  page.send.hidden = isBusy;
  page.stop.hidden = !isBusy;
  if (model !== null) showDevice(model);
  page.send.disabled = page.prompt.value.trim() === "";
  if (hadFocus) page.prompt.focus();
}

/** A reload of the page loads the same model again. The system prompt beside it was meant for that model alone. */
function keepInAddress(chosen: string | Blob): void {
  const url = new URL(location.href);
  if (url.searchParams.get("model") !== chosen) {
    // A file at hand has no address.
    if (typeof chosen === "string") url.searchParams.set("model", chosen);
    else url.searchParams.delete("model");
    url.searchParams.delete("system");
    drawer.suggest("");
  }
  history.replaceState(null, "", url);
}

function send(): void {
  const text = page.prompt.value.trim();
  if (text === "" || conversation === null || conversation.isBusy) return;
  page.prompt.value = "";
  fitPrompt();
  void conversation.ask(text);
}

/** As high as its text, up to a third of the window. */
function fitPrompt(): void {
  const { prompt } = page;
  prompt.style.height = "auto";
  prompt.style.height = `${Math.min(prompt.scrollHeight, innerHeight / 3)}px`;
}

page.composer.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
page.prompt.addEventListener("input", () => {
  fitPrompt();
  page.send.disabled = page.prompt.value.trim() === "";
});
page.prompt.addEventListener("keydown", (event) => {
  // While a word is being composed, Enter chooses it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !drawer.isOpen) conversation?.stop();
});
page.stop.addEventListener("click", () => conversation?.stop());
page.newChat.addEventListener("click", newChat);
page.openSettings.addEventListener("click", () => {
  drawer.open();
});
takeDrops((file) => {
  void open(file);
});

// Without it the page works as well, but not without a network.
if (import.meta.env.PROD && "serviceWorker" in navigator) {
  navigator.serviceWorker.register("./sw.js").catch(() => undefined);
}

const address = new URLSearchParams(location.search);
drawer.suggest(address.get("system") ?? "");
const wanted = address.get("model");
void (wanted === null ? choose() : open(wanted));
