// Slack's own confirm dialog.
import { h } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";

/** Ask; the promise is true if the person agreed. */
export function confirmDialog(confirm) {
  return new Promise((resolve) => {
    const say = (text) => (text.type === "mrkdwn" ? mrkdwn(text.text) : text.text);
    const done = (answer) => { dialog.close(); dialog.remove(); resolve(answer); };
    const dialog = h("dialog", { class: "confirm", "aria-labelledby": "confirm-title", oncancel: (event) => { event.preventDefault(); done(false); } },
      h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); done(true); } },
        h("header", {}, h("h2", { id: "confirm-title" }, confirm.title.text)),
        h("div", { class: "content" }, say(confirm.text)),
        h("footer", {},
          h("button", { type: "button", class: "button", onclick: () => done(false) }, confirm.deny.text),
          h("button", { type: "submit", class: `button ${confirm.style || "primary"}` }, confirm.confirm.text))));
    document.body.append(dialog);
    dialog.showModal();
  });
}
