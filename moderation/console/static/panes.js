// What stands in the place of a comment when there is none: nothing waits, it is being loaded, it could not be loaded.

import { whyOf } from "./api.js";
import { button, h } from "./dom.js";
import { say, timeOfDay } from "./words.js";

export function skeleton() {
  const line = (kind) => h("div", { class: `bone ${kind}` });
  return h("div", { class: "skeleton", role: "status", "aria-label": say("pane.loading") }, ["short", "name", "", "", "half"].map(line));
}

/** Nothing waits. With a filter that may be its doing. */
export function emptyPane(selection, look, clear) {
  const isFiltered = ["kind", "reason", "language", "thread"].some((name) => selection[name]);
  return h(
    "div",
    { class: "empty" },
    h("p", { class: "empty-sign", "aria-hidden": "true" }, "✓"),
    h("h2", {}, say(isFiltered ? "empty.filtered" : "empty.title")),
    h("p", { class: "quiet" }, say("empty.hint", { time: timeOfDay(Date.now()) })),
    h("div", { class: "row" }, isFiltered ? button(say("empty.clear"), { class: "primary", on: { click: clear } }) : null, button(say("empty.look"), { on: { click: look } })),
  );
}

export function brokenPane(problem, again) {
  const isUnknown = problem.code === "unknown-comment"; // which no second try would find
  const isOver = isUnknown || problem.code === "gone";
  return h(
    "div",
    { class: "empty", role: "alert" },
    h("h2", {}, say(isOver ? "broken.over" : "broken.title")),
    h("p", {}, isUnknown ? say("broken.unknown") : whyOf(problem)),
    isOver ? null : h("div", { class: "row" }, button(say("broken.again"), { class: "primary", on: { click: again } })),
  );
}
