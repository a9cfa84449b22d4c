// The modal a person sees: the top of their stack.
import { act, complaint } from "./api.js";
import { drawBlocks } from "./blocks.js";
import { h, toast } from "./dom.js";
import { state } from "./state.js";

const entered = new Map(); // view id -> {block_id: {action_id: value}}
let shown = ""; // id and hash of what is drawn
let dialog = null;
let errors = {};

const top = () => state.stacks.get(state.me)?.at(-1);
const valuesOf = (view) => entered.get(view.id) || entered.set(view.id, {}).get(view.id);

export function drawModal() {
  const view = top();
  const key = view ? `${state.me} ${view.id} ${view.hash}` : "";
  if (key === shown) return;
  shown = key;
  errors = {};
  draw(view);
}

function draw(view) {
  const focused = document.activeElement?.id;
  dialog?.close();
  dialog?.remove();
  dialog = view ? build(view) : null;
  if (!dialog) return;
  document.body.append(dialog);
  dialog.showModal();
  const first = dialog.querySelector(".content input, .content select, .content textarea, .content button");
  (dialog.querySelector("[aria-invalid=true]") || (focused && document.getElementById(focused)) || first)?.focus();
}

function build(view) {
  const close = () => run(() => act(state.me, { close: { view: view.id } }));
  const placeOf = (block) => ({
    use: (element, value) => run(() => act(state.me, { press: { view: view.id, block_id: block.block_id, action_id: element.action_id,
      state: forSubmit(view), ...(element.type === "button" ? {} : { option: value }) } })),
    kept: (element) => valuesOf(view)[block.block_id]?.[element.action_id],
    keep: (element, value) => { (valuesOf(view)[block.block_id] ||= {})[element.action_id] = value; },
    errorOf: (id) => errors[id],
    where: { view: view.id, block_id: block.block_id },
  });
  const submit = async (event) => {
    event.preventDefault();
    const button = event.submitter;
    if (button) button.disabled = true;
    const answer = await run(() => act(state.me, { submit: { view: view.id, values: forSubmit(view) } }), true);
    if (button) button.disabled = false;
    if (answer?.errors) { errors = answer.errors; draw(view); }
  };
  return h("dialog", { "aria-labelledby": "modal-title", oncancel: (event) => { event.preventDefault(); close(); } },
    h("form", { method: "dialog", novalidate: true, onsubmit: submit },
      h("header", {}, h("h2", { id: "modal-title" }, view.title.text), h("button", { type: "button", class: "plain close", "aria-label": "Close", onclick: close }, "✕")),
      h("div", { class: "content" }, drawBlocks(view.blocks, placeOf)),
      h("footer", {}, h("span", { class: "acting" }, `as ${state.people.get(state.me)?.profile.display_name}`),
        h("button", { type: "button", class: "button", onclick: close }, view.close?.text || "Cancel"),
        view.submit && h("button", { type: "submit", class: "button primary" }, view.submit.text))));
}

// Radio buttons keep a list of one, as they share their drawing with checkboxes; payloads want the one.
function forSubmit(view) {
  const values = structuredClone(valuesOf(view));
  for (const block of view.blocks) {
    const element = block.element || block.accessory;
    const kept = values[block.block_id]?.[element?.action_id];
    if (element?.type === "radio_buttons" && Array.isArray(kept)) values[block.block_id][element.action_id] = kept[0];
  }
  return values;
}

async function run(work, quiet = false) {
  try {
    const answer = await work();
    const trouble = complaint(answer);
    if (trouble && !(quiet && answer.errors)) toast(trouble);
    return answer;
  } catch (error) {
    toast(error.message);
    return null;
  }
}
