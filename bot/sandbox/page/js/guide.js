// What a newcomer can try, step by step; what has happened is ticked off.
import { h } from "./dom.js";
import { state } from "./state.js";

const keyOf = (message) => message.metadata?.event_payload?.key || "";
const words = (message) => JSON.stringify(message.blocks || []);
const some = (kind, pattern) => [...state.messages.values()].some((channel) =>
  [...channel.values()].some((message) => keyOf(message).startsWith(`${kind}:`) && pattern.test(words(message))));

let opened = false;

const STEPS = [
  ["Open the thread under the card", () => opened],
  ["As carol, press Approve: refused", () => state.ephemerals.some((one) => one.to === "U3")],
  ["As bob, approve", () => some("proposal", /APPROVED|EXECUTING|VERIFYING|SUCCEEDED|RECOVERED|FAILED/)],
  ["Kill the bot meanwhile: it goes on", () => state.killed],
  ["Resolve, read the postmortem", () => some("postmortem", /./)],
  ["Pick another fault", () => false],
];

/** Draw the steps; the first that is open stands out. */
export function drawGuide() {
  opened ||= Boolean(state.thread);
  const done = STEPS.map(([, happened]) => happened());
  const next = done.indexOf(false);
  const list = document.getElementById("guide");
  list.hidden = false;
  list.replaceChildren(...STEPS.map(([text], index) => h("li", { class: done[index] ? "done" : index === next ? "next" : "" }, text)));
}
