// `#alone=<ts>&width=390`: one message, or with `alone=dialog` the dialog before a person, and nothing around it: for pictures.
import { drawMessage } from "./message.js";
import { drawModal } from "./modal.js";
import { messagesOf, state } from "./state.js";

export function drawAlone(ts, width) {
  document.body.className = "alone";
  document.documentElement.style.setProperty("--alone", `${width}px`);
  if (ts === "dialog") {
    document.body.replaceChildren();
    drawModal();
    return;
  }
  const message = messagesOf(state.channel).get(ts) || state.ephemerals.find((one) => one.ts === ts);
  document.body.replaceChildren(...(message ? [drawMessage(message, true)] : []));
}
