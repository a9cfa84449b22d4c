// Who acts, and where.
import { attempt, avatar } from "./message.js";
import { h } from "./dom.js";
import { changed, state } from "./state.js";

const BOT = () => state.workspace.bot_user;

function choosePerson(id) {
  state.me = id;
  const channel = state.channels.get(state.channel);
  if (channel?.is_im && !channel.members.includes(id)) state.channel = "C0";
  changed();
}

export function chooseChannel(id) {
  if (id !== state.channel) state.thread = "";
  state.channel = id;
  state.home = false;
  state.unread.delete(id);
  changed();
  document.getElementById("channel-scroll").scrollTop = 1e9;
}

function people() {
  const everybody = [...state.people.values()].filter((person) => !person.is_bot);
  const arrows = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const index = everybody.findIndex((person) => person.id === state.me);
    choosePerson(everybody[(index + step + everybody.length) % everybody.length].id);
  };
  return everybody.map((person) => h("button", {
    type: "button", class: "row", role: "radio", "aria-checked": String(person.id === state.me), tabindex: person.id === state.me ? "0" : "-1",
    "data-key": person.id, onclick: () => choosePerson(person.id), onkeydown: arrows,
  }, avatar(person.id, true), h("span", {}, person.profile.display_name, h("span", { class: "role" }, person.deleted ? "deactivated" : person.profile.title || (person.is_restricted ? "guest" : ""))),
  state.stacks.get(person.id)?.length ? h("span", { class: "waiting" }, "dialog") : null));
}

function channels() {
  const listed = [...state.channels.values()].filter((channel) => !channel.is_im);
  return listed.map((channel) => h("li", {}, h("button", {
    type: "button", class: "row", "aria-current": String(channel.id === state.channel && !state.home), "data-key": channel.id, onclick: () => chooseChannel(channel.id),
  }, h("span", { class: "hash", "aria-hidden": "true" }, channel.is_private ? "🔒" : "#"), h("span", { class: state.unread.has(channel.id) ? "unread" : "" }, channel.name))));
}

function apps() {
  const direct = [...state.channels.values()].find((channel) => channel.is_im && channel.members.includes(state.me));
  const openHome = () => { state.home = true; state.thread = ""; changed(); attempt({ home: {} }); };
  return [
    h("li", {}, h("button", { type: "button", class: "row", "data-key": "home", "aria-current": String(state.home), onclick: openHome }, avatar(BOT(), true), h("span", {}, "tocsin home"))),
    direct && h("li", {}, h("button", { type: "button", class: "row", "data-key": direct.id, "aria-current": String(direct.id === state.channel && !state.home), onclick: () => chooseChannel(direct.id) },
      avatar(BOT(), true), h("span", { class: state.unread.has(direct.id) ? "unread" : "" }, "tocsin, direct"))),
  ].filter(Boolean);
}

export function drawSidebar() {
  const key = document.activeElement?.dataset?.key;
  document.getElementById("people").replaceChildren(...people());
  document.getElementById("channels").replaceChildren(...channels());
  document.getElementById("apps").replaceChildren(...apps());
  if (key) document.querySelector(`.sidebar [data-key="${key}"][tabindex="0"], .sidebar [data-key="${key}"]`)?.focus();
  if (key && state.people.has(key)) document.querySelector('.sidebar [aria-checked="true"]')?.focus();
}

export function drawHead() {
  const channel = state.channels.get(state.channel);
  const title = state.home ? "tocsin" : channel?.is_im ? "tocsin, direct" : `# ${channel?.name || ""}`;
  document.getElementById("channel-title").textContent = title;
  document.getElementById("channel-topic").textContent = state.home ? "Home" : channel?.topic.value || `${channel?.members.length || 0} members`;
  const marks = state.home ? [] : channel?.bookmarks || [];
  document.getElementById("bookmarks").replaceChildren(...marks.map((mark) => h("a", { href: mark.link, target: "_blank", rel: "noopener noreferrer" }, mark.title)));
  document.getElementById("composer").hidden = state.home;
  document.title = `${title} | Tocsin sandbox`;
}
