// The markdown block: headings, lists, quotes, code, tables, links, emphasis. As nodes, never as markup.
import { h, link } from "./dom.js";

const INLINE = /`([^`\n]+)`|\[([^\]\n]+)\]\(([^)\s]+)\)|\*\*([^*\n]+)\*\*|__([^_\n]+)__|(?<!\w)[*_]([^*_\n]+)[*_](?!\w)|~~([^~\n]+)~~/;

export function markdown(text) {
  const lines = String(text).split("\n");
  const nodes = [];
  while (lines.length) nodes.push(...next(lines));
  return nodes;
}

function next(lines) {
  const line = lines.shift();
  if (/^```/.test(line)) return [h("pre", {}, h("code", {}, takeWhile(lines, (one) => !/^```/.test(one), true).join("\n")))];
  const heading = /^(#{1,6})\s+(.*)/.exec(line);
  if (heading) return [h(`h${Math.min(3, heading[1].length)}`, {}, inline(heading[2]))];
  if (/^\s*([-*+•]|\d+[.)])\s/.test(line)) return [list(line, lines)];
  if (/^>\s?/.test(line)) return [h("blockquote", {}, markdown([line, ...takeWhile(lines, (one) => /^>/.test(one))].map((one) => one.replace(/^>\s?/, "")).join("\n")))];
  if (/^\|.*\|\s*$/.test(line)) return [table([line, ...takeWhile(lines, (one) => /^\|.*\|\s*$/.test(one))])];
  if (/^(-{3,}|\*{3,})$/.test(line.trim())) return [h("hr", { class: "block divider" })];
  return line.trim() ? [h("p", {}, inline(line))] : [];
}

function takeWhile(lines, holds, dropNext = false) {
  const taken = [];
  while (lines.length && holds(lines[0])) taken.push(lines.shift());
  if (dropNext) lines.shift();
  return taken;
}

function list(first, lines) {
  const ordered = /^\s*\d/.test(first);
  const items = [first, ...takeWhile(lines, (one) => /^\s*([-*+•]|\d+[.)])\s/.test(one))];
  return h(ordered ? "ol" : "ul", {}, items.map((item) => h("li", {}, inline(item.replace(/^\s*([-*+•]|\d+[.)])\s+/, "")))));
}

function table(rows) {
  const cells = rows.map((row) => row.trim().slice(1, -1).split("|").map((cell) => cell.trim()));
  const body = cells.slice(1).filter((row) => !row.every((cell) => /^:?-+:?$/.test(cell)));
  const line = (row, tag) => h("tr", {}, row.map((cell) => h(tag, {}, inline(cell))));
  return h("div", { class: "table-scroll" }, h("table", {}, h("thead", {}, line(cells[0], "th")), h("tbody", {}, body.map((row) => line(row, "td")))));
}

function inline(text) {
  const match = INLINE.exec(text);
  if (!match) return [text];
  const [whole, code, label, address, bold, strong, italic, strike] = match;
  let node;
  if (code) node = h("code", {}, code);
  else if (label) node = link(address, inline(label));
  else if (bold || strong) node = h("strong", {}, inline(bold || strong));
  else if (italic) node = h("em", {}, inline(italic));
  else node = h("s", {}, inline(strike));
  return [text.slice(0, match.index), node, ...inline(text.slice(match.index + whole.length))];
}
