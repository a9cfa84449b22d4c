// Block Kit as nodes.
import { h } from "./dom.js";
import { control, words } from "./elements.js";
import { withSquares } from "./emoji.js";
import { markdown } from "./markdown.js";
import { richText } from "./richtext.js";

/** Draw blocks; `placeOf(block)` gives each control its place (see elements.js). */
export const drawBlocks = (blocks, placeOf) => (blocks || []).map((block) => (DRAW[block.type] || unknown)(block, placeOf(block)));

const unknown = (block) => h("p", { class: "soft" }, `[${block.type}]`);
const box = (block, ...children) => h("div", { class: `block ${block.type}` }, ...children);

/** A picture of the sandbox; foreign addresses are not fetched, their words stand for them. */
export function picture(image, kind = "picture") {
  const file = image.slack_file?.id || /\/files\/(\w+)\//.exec(image.slack_file?.url || image.image_url || "")?.[1];
  if (!file) return h("div", { class: "missing" }, `Picture (not fetched by the sandbox): ${image.alt_text}`);
  return h("img", { class: kind, src: `/files/${file}/picture`, alt: image.alt_text });
}

function section(block, place) {
  const fields = block.fields && h("div", { class: "fields" }, block.fields.map((field) => h("div", {}, words(field))));
  const accessory = block.accessory && (block.accessory.type === "image" ? picture(block.accessory) : control(block.accessory, place));
  return box(block, h("div", { class: "main" }, block.text && h("div", {}, words(block.text)), fields), accessory && h("div", { class: "accessory" }, accessory));
}

function input(block, place) {
  const id = `input-${block.block_id}`;
  const error = place.errorOf?.(block.block_id);
  const field = [control(block.element, { ...place, id, use: block.dispatch_action ? place.use : () => {} })].flat();
  if (error) field[0].setAttribute("aria-invalid", "true");
  const described = [error && `${id}-error`, block.hint && `${id}-hint`].filter(Boolean).join(" ");
  if (described) field[0].setAttribute("aria-describedby", described);
  return h("div", { class: "field" },
    h("label", { for: id }, block.label.text, block.optional && h("span", { class: "optional" }, " (optional)")), field,
    error && h("p", { class: "error", id: `${id}-error`, role: "alert" }, error),
    block.hint && h("p", { class: "hint", id: `${id}-hint` }, block.hint.text));
}

function table(block) {
  const cell = (tag) => (value) => h(tag, {}, value.type === "rich_text" ? richText(value) : String(value.text ?? value.value ?? ""));
  const [head, ...rows] = block.rows;
  return box(block, h("div", { class: "table-scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, head.map(cell("th")))), h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell("td"))))))));
}

const STATES = { pending: "waiting", in_progress: "running", complete: "done", error: "failed" };
const task = (one) => h("div", { class: "task" }, h("span", { class: "state" }, STATES[one.status] || "waiting"), h("span", {}, one.title, one.output && h("div", { class: "soft" }, richText(one.output))));

const DRAW = {
  header: (block) => box(block, withSquares(block.text.text)),
  section,
  input,
  table,
  divider: () => h("hr", { class: "block divider" }),
  context: (block) => box(block, block.elements.map((one) => (one.type === "image" ? picture(one, "icon") : h("span", {}, words(one))))),
  actions: (block, place) => box(block, block.elements.map((one) => control(one, place))),
  context_actions: (block, place) => box(block, block.elements.map((one) => control(one, place))),
  image: (block) => h("figure", { class: "block image" }, block.title && h("figcaption", {}, block.title.text), picture(block)),
  rich_text: (block) => box(block, richText(block)),
  markdown: (block) => box(block, markdown(block.text)),
  task_card: (block) => box(block, task(block)),
  plan: (block) => box(block, h("strong", {}, block.title), (block.tasks || []).map(task)),
};
