// The page: load what there is, draw it, follow the changes.
import { drawAlone } from "./alone.js";
import { buildComposer } from "./composer.js";
import { drawDemo, watchWorld } from "./demo.js";
import { toast } from "./dom.js";
import { drawLists } from "./lists.js";
import { drawModal } from "./modal.js";
import { drawHead, drawSidebar } from "./sidebar.js";
import { changed, follow, load, onChange, state } from "./state.js";

/** `#as=U2&channel=C0&thread=...`, or a permalink `/archives/C0/p...`. */
function readAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  state.me = wanted.get("as") || state.me;
  state.channel = wanted.get("channel") || state.channel;
  state.thread = wanted.get("thread") || state.thread;
  const permalink = /^\/archives\/(\w+)\/p(\d+)(\d{6})$/.exec(location.pathname);
  if (permalink) [state.channel, state.thread] = [permalink[1], `${permalink[2]}.${permalink[3]}`];
}

// `#still=1` draws once and follows nothing: a headless browser takes its picture when the page has come to rest.
const asked = new URLSearchParams(location.hash.slice(1));
const still = asked.has("still");

function writeAddress() {
  const where = new URLSearchParams({ as: state.me, channel: state.channel, ...(state.thread ? { thread: state.thread } : {}) });
  history.replaceState(null, "", `/#${where}`);
}

function draw() {
  if (!state.people.has(state.me)) state.me = [...state.people.keys()][0];
  if (!state.channels.has(state.channel)) state.channel = [...state.channels.keys()][0];
  if (asked.has("alone")) { drawAlone(asked.get("alone"), asked.get("width") || "760"); return; }
  drawSidebar();
  drawHead();
  drawLists();
  drawModal();
  drawDemo();
  if (!still) writeAddress();
}

readAddress();
onChange(draw);
buildComposer(document.getElementById("composer"), false);
buildComposer(document.getElementById("thread-composer"), true);
document.getElementById("thread-close").addEventListener("click", () => { state.thread = ""; changed(); });
window.addEventListener("hashchange", () => { readAddress(); changed(); });
try {
  await load();
  if (!still) follow();
  if (!asked.has("alone")) watchWorld(still);
} catch (error) {
  toast(`The sandbox does not answer: ${error.message}`);
}
