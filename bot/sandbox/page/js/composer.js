// Where a person types: text, @mentions, and commands (which Slack does not take in threads).
import { h, toast } from "./dom.js";
import { attempt } from "./message.js";
import { state } from "./state.js";

// As Slack's own composer does: what is typed can never become a link or a mention of everybody by its brackets.
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

export function buildComposer(form, inThread) {
  const hint = inThread ? "Commands do not work in threads: write @tocsin and the verb." : "Try /incident help or @tocsin help. Enter sends.";
  const box = h("textarea", { rows: "1", "aria-label": inThread ? "Reply" : "Message", placeholder: inThread ? "Reply..." : "Message the channel" });
  const grow = () => { box.style.height = "auto"; box.style.height = `${box.scrollHeight}px`; };
  const send = async () => {
    const text = box.value.trim();
    if (!text) return;
    if (inThread && text.startsWith("/")) { toast("Slack takes no commands in threads. Mention @tocsin instead."); return; }
    box.value = "";
    grow();
    await attempt({ type: { channel: state.channel, text: escaped(text), ...(inThread ? { thread: state.thread } : {}) } });
  };
  box.addEventListener("input", grow);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  form.append(box, h("div", { class: "foot" }, h("span", {}, hint), h("button", { type: "submit", class: "button" }, "Send")));
}
