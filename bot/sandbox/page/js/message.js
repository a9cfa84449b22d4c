// One message: who, when, what, and what can be done with it.
import { act, complaint } from "./api.js";
import { drawBlocks, picture } from "./blocks.js";
import { h, toast } from "./dom.js";
import { emoji, QUICK } from "./emoji.js";
import { mrkdwn, personName } from "./mrkdwn.js";
import { changed, state } from "./state.js";

export const clock = (ts) => new Date(Number(ts) * 1000).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });

export function avatar(id, small = false) {
  const person = state.people.get(id);
  const kind = small ? "avatar small" : "avatar";
  if (person?.is_bot) return h("div", { class: kind, "aria-hidden": "true" }, h("img", { src: "/page/icon.svg", alt: "" }));
  const tone = [...String(id)].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 6;
  return h("div", { class: `${kind} tone-${tone}`, "aria-hidden": "true" }, personName(id).slice(0, 1).toUpperCase());
}

/** Do an act and say what went wrong, if anything did. */
export async function attempt(what) {
  try {
    const answer = await act(state.me, what);
    const trouble = complaint(answer);
    if (trouble && trouble !== "refused_by_client") toast(trouble);
    return answer;
  } catch (error) {
    toast(error.message);
    return { error: error.message };
  }
}

export function openThread(message) {
  state.thread = message.thread_ts || message.ts;
  changed();
}

function placeIn(message) {
  return (block) => {
    const where = { channel: message.channel, ts: message.ts, block_id: block.block_id };
    const use = (element, value) => attempt({ press: { ...where, action_id: element.action_id, ...(element.type === "button" ? {} : { option: value }) } });
    return { use, kept: () => undefined, keep: () => {}, where };
  };
}

const documentLink = (file) => h("a", { class: "document", href: file.url_private, target: "_blank", rel: "noopener" }, file.title, h("div", { class: "file-name" }, file.name));

function files(message) {
  if (!message.files?.length) return null;
  const shown = (file) => file.mimetype.startsWith("image/")
    ? h("figure", { class: "block image" }, h("figcaption", { class: "file-name" }, file.title), picture({ slack_file: { id: file.id }, alt_text: file.alt_txt || file.title }))
    : documentLink(file);
  return h("div", { class: "files" }, message.files.map(shown));
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  const mine = (one) => one.users.includes(state.me);
  const flip = (one) => attempt({ [mine(one) ? "unreact" : "react"]: { channel: message.channel, ts: message.ts, name: one.name } });
  return h("div", { class: "reactions" }, message.reactions.map((one) => h("button", {
    type: "button", "aria-pressed": String(mine(one)), title: one.users.map(personName).join(", "), onclick: () => flip(one),
  }, emoji(one.name), ` ${one.count}`)));
}

function replies(message) {
  if (!message.reply_count) return null;
  const count = `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`;
  return h("button", { type: "button", class: "replies", onclick: () => openThread(message) },
    message.reply_users.slice(0, 4).map((user) => avatar(user, true)), count, h("span", { class: "soft" }, `last at ${clock(message.latest_reply)}`));
}

function tools(message) {
  const react = (name) => h("button", { type: "button", class: "plain", "aria-label": `React with ${name}`, onclick: () => attempt({ react: { channel: message.channel, ts: message.ts, name } }) }, emoji(name));
  return h("div", { class: "tools" }, QUICK.map(react), h("button", { type: "button", class: "plain", onclick: () => openThread(message) }, "Reply in thread"));
}

export function drawMessage(message, inThread) {
  const person = state.people.get(message.user);
  const isPrivate = message.is_ephemeral;
  const isBot = Boolean(message.bot_id);
  const content = message.blocks?.length ? drawBlocks(message.blocks, placeIn(message)) : mrkdwn(message.text);
  const name = personName(message.user);
  const open = state.thread === message.ts && !inThread;
  return h("article", { class: `message${isPrivate ? " private" : ""}${message.fresh ? " fresh" : ""}${open ? " open" : ""}`, "aria-label": `${name} at ${clock(message.ts)}`, "data-ts": message.ts },
    isPrivate && h("div", { class: "only-you" }, "Only visible to you"),
    avatar(message.user),
    h("div", {},
      h("div", { class: "who" }, h("b", {}, name), isBot && h("span", { class: "badge" }, "APP"),
        h("time", { datetime: new Date(Number(message.ts) * 1000).toISOString(), title: person?.profile.title || "" }, clock(message.ts)),
        message.subtype === "thread_broadcast" && h("span", { class: "soft" }, "replied to a thread")),
      h("div", { class: "said" }, content, message.edited && h("span", { class: "edited" }, "(edited)")),
      files(message), reactions(message), !inThread && replies(message)),
    !isPrivate && tools(message));
}
