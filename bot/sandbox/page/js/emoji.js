// The few emoji that incident work uses; every other one is shown by its name.
import { h } from "./dom.js";

const SIGNS = {
  "+1": "👍", "-1": "👎", thumbsup: "👍", thumbsdown: "👎", eyes: "👀", pushpin: "📌", ticket: "🎫", white_check_mark: "✅", heavy_check_mark: "✔️",
  x: "❌", warning: "⚠️", rotating_light: "🚨", fire: "🔥", bell: "🔔", no_bell: "🔕", hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️",
  red_circle: "🔴", large_red_circle: "🔴", large_orange_circle: "🟠", large_yellow_circle: "🟡", large_green_circle: "🟢", large_blue_circle: "🔵", white_circle: "⚪", black_circle: "⚫",
  mag: "🔍", memo: "📝", lock: "🔒", chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", bar_chart: "📊", rewind: "⏪", arrow_right: "➡️", arrows_counterclockwise: "🔄",
  tada: "🎉", rocket: "🚀", robot_face: "🤖", octagonal_sign: "🛑", no_entry: "⛔", question: "❓", exclamation: "❗", bulb: "💡", wave: "👋", raised_hands: "🙌", zap: "⚡",
};

export const QUICK = ["eyes", "pushpin", "+1", "white_check_mark"];

/** Whether this machine has a font for emoji: one that it lacks is drawn like any other missing letter. */
const drawable = (() => {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const pixels = (sign) => { context.clearRect(0, 0, 40, 40); context.fillText(sign, 2, 20); return context.getImageData(0, 0, 40, 40).data.join(); };
  return pixels("👀") !== pixels("🎫");
})();

export function emoji(name) {
  return drawable && SIGNS[name] ? h("span", { role: "img", "aria-label": name.replace(/_/g, " ") }, SIGNS[name]) : `:${name}:`;
}

// Squares are drawn, since not every machine has a font for them.
const SQUARES = { "\u{1F7E5}": "red", "\u{1F7E7}": "orange", "\u{1F7E8}": "yellow", "\u{1F7E9}": "green", "\u{1F7E6}": "blue" };
const SQUARE = /([\u{1F7E5}-\u{1F7E9}])/u;

/** A text with its squares drawn. */
export function withSquares(text) {
  return text.split(SQUARE).filter(Boolean).map((part) => (SQUARES[part] ? h("span", { class: `square ${SQUARES[part]}`, "aria-hidden": "true" }) : part));
}
