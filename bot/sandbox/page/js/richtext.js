// Rich text: sections, lists, quotes, code, each of typed pieces.
import { h, link } from "./dom.js";
import { emoji } from "./emoji.js";
import { formatDate, mention, personName } from "./mrkdwn.js";
import { state } from "./state.js";

export function richText(block) {
  return (block.elements || []).map(group);
}

function group(node) {
  const pieces = () => (node.elements || []).map(piece);
  if (node.type === "rich_text_list") return h(node.style === "ordered" ? "ol" : "ul", {}, node.elements.map((item) => h("li", {}, (item.elements || []).map(piece))));
  if (node.type === "rich_text_quote") return h("blockquote", {}, pieces());
  if (node.type === "rich_text_preformatted") return h("pre", {}, h("code", {}, pieces()));
  return h("div", {}, pieces());
}

function piece(node) {
  switch (node.type) {
    case "text": return styled(node.text.split("\n").flatMap((line, index) => (index ? [h("br"), line] : [line])), node.style);
    case "link": return link(node.url, node.text || node.url);
    case "user": return mention(`@${personName(node.user_id)}`);
    case "usergroup": return mention(`@${state.usergroups.get(node.usergroup_id)?.handle || node.usergroup_id}`);
    case "channel": return mention(`#${state.channels.get(node.channel_id)?.name || node.channel_id}`);
    case "broadcast": return mention(`@${node.range}`);
    case "emoji": return emoji(node.name);
    case "date": return h("time", {}, formatDate(new Date(node.timestamp * 1000), node.format));
    default: return node.value || "";
  }
}

function styled(children, style = {}) {
  let node = h("span", {}, children);
  if (style.code) node = h("code", {}, node);
  if (style.bold) node = h("strong", {}, node);
  if (style.italic) node = h("em", {}, node);
  if (style.strike) node = h("s", {}, node);
  return node;
}
