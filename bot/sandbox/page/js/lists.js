// The channel and the thread: only messages that changed are drawn again, so a choice half made is not lost.
import { h } from "./dom.js";
import { drawBlocks } from "./blocks.js";
import { attempt, drawMessage } from "./message.js";
import { messagesOf, state } from "./state.js";

const drawn = new WeakMap(); // list -> Map(key -> {seen, node})

function inChannel() {
  const said = [...messagesOf(state.channel).values()].filter((one) => !one.thread_ts || one.thread_ts === one.ts || one.subtype === "thread_broadcast");
  return sorted([...said, ...whispers((one) => !one.thread_ts)]);
}

function inThread() {
  const said = [...messagesOf(state.channel).values()].filter((one) => one.ts === state.thread || one.thread_ts === state.thread);
  return sorted([...said, ...whispers((one) => one.thread_ts === state.thread)]);
}

const whispers = (fits) => state.ephemerals.filter((one) => one.channel === state.channel && one.to === state.me && fits(one));
const sorted = (messages) => messages.sort((a, b) => (a.ts < b.ts ? -1 : 1));

function fill(list, scroll, messages, isThread) {
  const atEnd = staysAtEnd(list, scroll);
  const before = drawn.get(list) || new Map();
  const after = new Map();
  const focused = remembered(list);
  const nodes = messages.flatMap((message, index) => {
    const seen = keyOf(message);
    const known = before.get(message.ts);
    const node = known?.seen === seen ? known.node : drawMessage(message, isThread);
    message.fresh = false;
    after.set(message.ts, { seen, node });
    return [...separators(messages, index, isThread), node];
  });
  drawn.set(list, after);
  list.replaceChildren(...(nodes.length ? nodes : [h("p", { class: "empty" }, "Nothing here yet.")]));
  restore(list, focused);
  if (atEnd) scroll.scrollTop = scroll.scrollHeight;
}

const ends = new WeakMap(); // scroll -> whether the person is at its end

/** Whether to keep showing the newest. Pictures load late and make the list longer, so its size is watched too. */
function staysAtEnd(list, scroll) {
  if (!ends.has(scroll)) {
    ends.set(scroll, true);
    const toEnd = () => { if (ends.get(scroll)) scroll.scrollTop = scroll.scrollHeight; };
    // Only going up leaves the end: a list that grew meanwhile also sends this event, and is followed.
    let before = 0;
    scroll.addEventListener("scroll", () => {
      if (scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60) ends.set(scroll, true);
      else if (scroll.scrollTop < before) ends.set(scroll, false);
      before = scroll.scrollTop;
    });
    new ResizeObserver(toEnd).observe(list);
  }
  return ends.get(scroll);
}

/** Everything a drawn message depends on. */
const keyOf = (message) =>
  JSON.stringify([{ ...message, fresh: null }, state.me, state.thread === message.ts, state.people.size, state.channels.size]);

function separators(messages, index, isThread) {
  if (isThread) return index === 1 ? [h("div", { class: "count" }, h("span", {}, `${messages.length - 1} ${messages.length === 2 ? "reply" : "replies"}`))] : [];
  const day = (message) => new Date(Number(message.ts) * 1000).toDateString();
  if (index && day(messages[index]) === day(messages[index - 1])) return [];
  const today = day(messages[index]) === new Date().toDateString();
  return [h("div", { class: "day" }, h("span", {}, today ? "Today" : day(messages[index])))];
}

/** Which control had the focus, so that it gets it back when its message is drawn again. */
function remembered(list) {
  const active = document.activeElement;
  if (!list.contains(active)) return null;
  return { node: active, ts: active.closest("article")?.dataset.ts, action: active.dataset.action };
}

function restore(list, focused) {
  if (!focused || focused.node === list) return;
  if (list.contains(focused.node)) { focused.node.focus(); return; }
  const message = list.querySelector(`article[data-ts="${focused.ts}"]`);
  const same = focused.action && [...(message?.querySelectorAll("[data-action]") || [])].find((one) => one.dataset.action === focused.action);
  (same || list).focus({ preventScroll: true });
}

function drawHome(list) {
  const view = state.homes.get(state.me);
  const placeOf = (block) => ({
    use: (element, value) => attempt({ press: { view: "home", block_id: block.block_id, action_id: element.action_id, ...(element.type === "button" ? {} : { option: value }) } }),
    kept: () => undefined, keep: () => {}, where: { view: "home" },
  });
  drawn.delete(list);
  list.replaceChildren(h("div", { class: "empty home" }, view ? drawBlocks(view.blocks, placeOf) : "Tocsin has no home tab: it speaks in channels and their threads. Write /incident help there."));
}

export function drawLists() {
  const list = document.getElementById("messages");
  if (state.home) drawHome(list);
  else fill(list, document.getElementById("channel-scroll"), inChannel(), false);
  const open = Boolean(state.thread) && !state.home;
  document.getElementById("thread-pane").hidden = !open;
  document.getElementById("frame").classList.toggle("with-thread", open);
  if (open) fill(document.getElementById("thread-messages"), document.getElementById("thread-scroll"), inThread(), true);
}
