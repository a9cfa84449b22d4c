// Slack's mrkdwn as nodes.
import { h, link } from "./dom.js";
import { emoji, withSquares } from "./emoji.js";
import { state } from "./state.js";

const TOKENS = /```([\s\S]*?)```|`([^`\n]+)`|<([^>\n]+)>|:([a-z0-9_+-]+):|(?<![\w*])\*([^*\n]+)\*(?![\w*])|(?<![\w_])_([^_\n]+)_(?![\w_])|(?<![\w~])~([^~\n]+)~(?![\w~])/;

export const unescape = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

/** A whole text: quotes by line, everything else inline. */
export function mrkdwn(text) {
  const nodes = [];
  for (const part of splitQuotes(String(text ?? ""))) {
    nodes.push(part.quote ? h("blockquote", {}, inline(part.text)) : h("span", {}, inline(part.text)));
  }
  return nodes;
}

function splitQuotes(text) {
  const parts = [];
  // A code fence is one part whatever its lines begin with.
  for (const piece of text.split(/(```[\s\S]*?```)/)) {
    if (piece.startsWith("```")) { parts.push({ quote: false, text: piece }); continue; }
    for (const [index, line] of piece.split("\n").entries()) {
      const quote = /^(&gt;|>)(?!>)/.test(line);
      const words = quote ? line.replace(/^(&gt;|>) ?/, "") : line;
      const last = parts.at(-1);
      if (last && index > 0 && last.quote === quote && !last.text.startsWith("```")) last.text += `\n${words}`;
      else if (words || quote) parts.push({ quote, text: words });
    }
  }
  return parts;
}

function inline(text) {
  const nodes = [];
  let rest = text;
  for (let match = TOKENS.exec(rest); match; match = TOKENS.exec(rest)) {
    nodes.push(...lines(rest.slice(0, match.index)), token(match));
    rest = rest.slice(match.index + match[0].length);
  }
  return [...nodes, ...lines(rest)];
}

function token([, fence, code, angle, name, bold, italic, strike]) {
  if (fence !== undefined) return h("pre", {}, h("code", {}, unescape(fence.replace(/^\n/, ""))));
  if (code !== undefined) return h("code", {}, unescape(code));
  if (angle !== undefined) return special(angle);
  if (name !== undefined) return emoji(name);
  if (bold !== undefined) return h("strong", {}, inline(bold));
  if (italic !== undefined) return h("em", {}, inline(italic));
  return h("s", {}, inline(strike));
}

function lines(text) {
  return text.split("\n").flatMap((line, index) => (index ? [h("br"), ...withSquares(unescape(line))] : withSquares(unescape(line)))).filter((part) => part !== "");
}

function special(inner) {
  const [target, label] = inner.split("|");
  if (target.startsWith("@")) return mention(`@${personName(target.slice(1))}`);
  if (target.startsWith("#")) return h("span", { class: "mention" }, `#${label || state.channels.get(target.slice(1))?.name || target.slice(1)}`);
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!subteam^")) return mention(`@${state.usergroups.get(target.slice(9))?.handle || label || target.slice(9)}`);
  if (target.startsWith("!")) return mention(`@${target.slice(1)}`);
  return link(unescape(target), label ? inline(label) : unescape(target));
}

export const personName = (id) => id === "USLACKBOT" ? "Slack" : state.people.get(id)?.profile.display_name || id;
export const mention = (text) => h("span", { class: "mention" }, text);

function date(target, fallback) {
  const [, seconds, format, address] = target.split("^");
  const at = new Date(Number(seconds) * 1000);
  if (Number.isNaN(at.getTime()) || !format) return fallback || "";
  const time = h("time", { datetime: at.toISOString(), title: at.toISOString() }, formatDate(at, format));
  return address ? link(address, time) : time;
}

export function formatDate(at, format) {
  const day = (options) => at.toLocaleDateString("en", options);
  const today = new Date().toDateString() === at.toDateString();
  const written = {
    date_num: at.toISOString().slice(0, 10),
    date: day({ month: "long", day: "numeric", year: "numeric" }),
    date_short: day({ month: "short", day: "numeric", year: "numeric" }),
    date_long: day({ weekday: "long", month: "long", day: "numeric", year: "numeric" }),
    time: at.toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false }),
    time_secs: at.toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }),
    ago: ago(at),
  };
  return format.replace(/\{(\w+?)(_pretty)?\}/g, (whole, name, pretty) => (pretty && today ? "today" : written[name] ?? whole));
}

function ago(at) {
  const minutes = Math.round((Date.now() - at.getTime()) / 60000);
  if (Math.abs(minutes) < 1) return "just now";
  const [count, unit] = Math.abs(minutes) < 90 ? [minutes, "min"] : [Math.round(minutes / 60), "h"];
  return count >= 0 ? `${count} ${unit} ago` : `in ${-count} ${unit}`;
}
