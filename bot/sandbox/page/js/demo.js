// Demo controls: the bot's life, and what goes wrong in the shop (if a world is mounted).
import { get, post } from "./api.js";
import { h, toast } from "./dom.js";
import { drawGuide } from "./guide.js";
import { state } from "./state.js";

let faults = null; // null: no world here
let world = null;
let wasUp = false;

async function tried(work, success) {
  try { await work(); toast(success); } catch (error) { toast(error.message); }
}

const line = (kind, text) => h("div", { class: "line" }, h("span", { class: `dot ${kind}`, "aria-hidden": "true" }), h("span", {}, text));

function botLine() {
  const { connections, mode, bot_url: address } = state.workspace;
  if (connections) { wasUp = true; return line("up", connections === 1 ? "Bot connected" : `Bot connected (${connections} sockets)`); }
  if (mode === "http" || (mode === "auto" && address)) return line("", "Bot reached over HTTP");
  return line("down", wasUp ? "Bot is down" : "Bot is not connected yet");
}

function worldLine() {
  if (!world) return null;
  return world.healthy ? line("up", "Shop is well") : line("down", `Shop is failing since ${new Date(world.since).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false })}`);
}

function buildOnce(body) {
  const lines = h("div", { role: "status", "aria-live": "polite" });
  const kill = h("button", { type: "button", class: "kill", onclick: () => tried(async () => { await post("/_sandbox/kill", {}); state.killed = true; }, "The bot's process was killed (kill -9). It starts again and goes on.") }, "Kill the bot");
  const pick = h("select", { id: "fault" });
  const label = h("label", { for: "fault" }, "Pick another fault");
  const start = h("button", { type: "button", onclick: () => tried(() => post("/_world/fault", { name: pick.value }), "The fault is on its way; alerts follow in some seconds.") }, "Start this fault");
  body.replaceChildren(lines, h("div", { class: "controls" }, kill, label, pick, start));
  return { lines, kill, label, pick, start };
}

let parts = null;

export function drawDemo() {
  parts ||= buildOnce(document.getElementById("demo-body"));
  parts.lines.replaceChildren(...[botLine(), worldLine()].filter(Boolean));
  parts.kill.hidden = !state.workspace.can_kill;
  parts.kill.disabled = !state.workspace.connections;
  parts.label.hidden = parts.pick.hidden = parts.start.hidden = !faults;
  if (faults) drawGuide();
  if (faults && !parts.pick.options.length) parts.pick.append(...faults.map((fault) => h("option", { value: fault.name }, fault.title)));
}

export async function watchWorld(once) {
  try {
    faults = await get("/_world/faults");
  } catch {
    return; // the sandbox runs without a world
  }
  const look = async () => {
    try { world = await get("/_world/state"); } catch { world = null; }
    drawDemo();
  };
  await look();
  if (!once) setInterval(look, 3000);
}
