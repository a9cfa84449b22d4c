// Controls of Block Kit: each draws itself, knows its value, and tells `use` when a person used it.
import { h, toast } from "./dom.js";
import { act } from "./api.js";
import { confirmDialog } from "./confirm.js";
import { mrkdwn } from "./mrkdwn.js";
import { state } from "./state.js";

/** Plain text or mrkdwn, whichever the text object says. */
export const words = (text) => (text?.type === "mrkdwn" ? mrkdwn(text.text) : text?.text || "");

/**
 * Draw one control. `place` is `{use(element, value), kept(element), keep(element, value), id}`:
 * `use` sends the press, `kept` and `keep` hold what was entered while the view is drawn again.
 */
export function control(element, place) {
  const draw = DRAW[element.type];
  return draw ? draw(element, place) : h("span", { class: "soft" }, `[${element.type}]`);
}

async function used(element, place, value, node) {
  if (element.confirm && !(await confirmDialog(element.confirm))) return;
  if (node) node.disabled = true;
  try { await place.use(element, value); } finally { if (node) node.disabled = false; }
}

function button(element, place) {
  const label = element.accessibility_label;
  const node = h("button", {
    type: "button", class: `button ${element.style || ""}`, "aria-label": label, "data-action": element.action_id,
    onclick: () => { if (element.url) window.open(element.url, "_blank", "noopener"); used(element, place, element.value, node); },
  }, words(element.text));
  return node;
}

function feedback(element, place) {
  return ["positive_button", "negative_button"].map((name) =>
    button({ ...element[name], type: "button", action_id: element.action_id }, { ...place, use: (_, value) => place.use(element, value) }));
}

const optionNode = (option, chosen) => h("option", { value: option.value, selected: chosen.includes(option.value) }, option.text.text);

function select(element, place, options, start) {
  const kept = place.kept(element) ?? start;
  const node = h("select", { class: "control", id: place.id, "data-action": element.action_id, "aria-label": place.id ? null : element.placeholder?.text || "Choose",
    onchange: () => { place.keep(element, node.value || null); if (node.value) used(element, place, node.value, node); } },
    h("option", { value: "" }, element.placeholder?.text || "Choose"), options(kept ? [kept] : []));
  return node;
}

const grouped = (element) => (chosen) => element.option_groups
  ? element.option_groups.map((group) => h("optgroup", { label: group.label.text }, group.options.map((option) => optionNode(option, chosen))))
  : (element.options || []).map((option) => optionNode(option, chosen));

const asOptions = (pairs) => (chosen) => pairs.map(([value, text]) => optionNode({ value, text: { text } }, chosen));
const members = () => [...state.people.values()].filter((person) => !person.deleted).map((person) => [person.id, person.profile.display_name]);
const places = () => [...state.channels.values()].map((channel) => [channel.id, channel.is_im ? channel.name : `#${channel.name}`]);

function choices(element, place, kind, options, starts) {
  const chosen = new Set(place.kept(element) ?? starts);
  const many = kind === "checkbox";
  const name = `${place.id || element.action_id}-choice`;
  const changed = (value, on) => {
    if (!many) chosen.clear();
    if (on) chosen.add(value); else chosen.delete(value);
    const entered = many ? [...chosen] : value;
    place.keep(element, many ? entered : [value]);
    used(element, place, entered);
  };
  return h("fieldset", { class: "choices", id: place.id, tabindex: "-1" }, options.map((option) => h("label", {},
    h("input", { type: kind, name, value: option.value, checked: chosen.has(option.value), onchange: (event) => changed(option.value, event.target.checked) }),
    h("span", {}, words(option.text), option.description && h("span", { class: "soft" }, " ", words(option.description))))));
}

const valuesOf = (options) => (options || []).map((option) => option.value);
const optionsOf = (pairs) => pairs.map(([value, text]) => ({ value, text: { type: "plain_text", text } }));

function typed(kind) {
  return (element, place) => {
    const many = element.multiline;
    const node = h(many ? "textarea" : "input", {
      class: "control", id: place.id, type: many ? null : kind, placeholder: element.placeholder?.text, maxlength: element.max_length, minlength: element.min_length,
      "data-action": element.action_id, value: place.kept(element) ?? element.initial_value ?? "", oninput: () => place.keep(element, node.value),
      onkeydown: (event) => { if (element.dispatch_action_config && event.key === "Enter" && !many) { event.preventDefault(); used(element, place, node.value); } },
    });
    return node;
  };
}

function picker(kind, field) {
  return (element, place) => {
    const node = h("input", { class: "control", type: kind, id: place.id, "data-action": element.action_id, value: place.kept(element) ?? element[field] ?? "",
      "aria-label": place.id ? null : element.placeholder?.text || kind, onchange: () => { place.keep(element, node.value || null); used(element, place, node.value); } });
    return node;
  };
}

function moment(element, place) {
  const local = (seconds) => (seconds ? new Date(seconds * 1000 - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 16) : "");
  const node = h("input", { class: "control", type: "datetime-local", id: place.id, value: local(place.kept(element) ?? element.initial_date_time),
    onchange: () => { const seconds = Math.floor(new Date(node.value).getTime() / 1000); place.keep(element, seconds || null); used(element, place, seconds); } });
  return node;
}

function overflow(element, place) {
  const menu = h("details", { class: "overflow", onkeydown: (event) => { if (event.key === "Escape" && menu.open) { event.stopPropagation(); menu.open = false; menu.firstChild.focus(); } } },
    h("summary", { "aria-label": "More actions", "data-action": element.action_id }, "⋯"),
    h("div", { class: "menu" }, element.options.map((option) => h("button", { type: "button", onclick: () => { menu.open = false; used(element, place, option.value); } }, words(option.text)))));
  return menu;
}

function external(element, place) {
  const list = h("datalist", { id: `${place.id || element.action_id}-options` });
  let offered = [];
  const ask = async () => {
    try {
      const answer = await act(state.me, { suggest: { ...place.where, action_id: element.action_id, value: node.value } });
      offered = answer.ack?.options || [];
      list.replaceChildren(...offered.map((option) => h("option", { value: option.text.text })));
    } catch (error) { toast(error.message); }
  };
  const node = h("input", { class: "control", id: place.id, list: list.id, placeholder: element.placeholder?.text, onfocus: ask, oninput: ask,
    onchange: () => { const option = offered.find((one) => one.text.text === node.value); if (option) { place.keep(element, option); used(element, place, option); } } });
  return [node, list];
}

const DRAW = {
  button, icon_button: button, feedback_buttons: feedback, overflow, external_select: external,
  static_select: (element, place) => select(element, place, grouped(element), element.initial_option?.value),
  users_select: (element, place) => select(element, place, asOptions(members()), element.initial_user),
  conversations_select: (element, place) => select(element, place, asOptions(places()), element.initial_conversation),
  channels_select: (element, place) => select(element, place, asOptions(places()), element.initial_channel),
  multi_static_select: (element, place) => choices(element, place, "checkbox", element.options || [], valuesOf(element.initial_options)),
  multi_users_select: (element, place) => choices(element, place, "checkbox", optionsOf(members()), element.initial_users),
  multi_channels_select: (element, place) => choices(element, place, "checkbox", optionsOf(places()), element.initial_channels),
  multi_conversations_select: (element, place) => choices(element, place, "checkbox", optionsOf(places()), element.initial_conversations),
  checkboxes: (element, place) => choices(element, place, "checkbox", element.options, valuesOf(element.initial_options)),
  radio_buttons: (element, place) => choices(element, place, "radio", element.options, valuesOf(element.initial_option ? [element.initial_option] : [])),
  plain_text_input: typed("text"), email_text_input: typed("email"), url_text_input: typed("url"), number_input: typed("number"),
  datepicker: picker("date", "initial_date"), timepicker: picker("time", "initial_time"), datetimepicker: moment,
};
