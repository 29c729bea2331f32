// What is asked before something is done: one dialog at a time, each giving what was chosen, or null.

import { button, flat, h } from "./dom.js";
import { digitOf } from "./keys.js";
import { KEYS, REASONS, reasonName } from "./reasons.js";
import { number, say } from "./words.js";

/** Show a dialog; `fill` gets a function that closes it with an answer and returns its content. */
function ask(name, title, fill) {
  const before = document.activeElement;
  return new Promise((resolve) => {
    const heading = h("h2", { id: "dialog-title" }, title);
    const dialog = h("dialog", { class: `dialog ${name}`, "aria-labelledby": "dialog-title" });
    const close = (answer) => {
      dialog.close();
      dialog.remove();
      before?.focus?.({ preventScroll: true });
      resolve(answer);
    };
    dialog.append(heading, ...flat([fill(close, dialog)]));
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close(null);
    });
    let isBeside = false; // where the pointer went down: a selection of text may well end beside the dialog
    dialog.addEventListener("pointerdown", (event) => (isBeside = !contains(dialog, event)));
    dialog.addEventListener("click", (event) => {
      if (isBeside && event.target === dialog) {
        close(null);
      }
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("[data-first]")?.focus();
  });
}

/** Whether a point is on a dialog, its padding included; its backdrop is the same element. */
function contains(dialog, { clientX: x, clientY: y }) {
  const box = dialog.getBoundingClientRect();
  return x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
}

/** Ask for the reason of a rejection; `likely` has the focus, so that Enter takes it. Returns a code or null. */
export function askReason(likely, count = 1) {
  return ask("palette", say(count > 1 ? "reject.title_many" : "reject.title", { count }), (close, dialog) => {
    const options = REASONS.map((code, at) => {
      const isFirst = code === (likely ?? REASONS[0]);
      return button(reasonName(code), {
        keys: at < KEYS.length ? number(Number(KEYS[at])) : null,
        "aria-keyshortcuts": KEYS[at],
        class: `option${code === likely ? " is-likely" : ""}`,
        "data-reason": code,
        "data-first": isFirst ? "" : null,
        on: { click: () => close(code) },
      });
    });
    dialog.addEventListener("keydown", (event) => pickByKey(event, options));
    return [h("div", { class: "options" }, options), h("p", { class: "hint" }, say(likely ? "reject.hint" : "reject.hint_none")),
      h("div", { class: "row" }, button(say("dialog.cancel"), { on: { click: () => close(null) } }))];
  });
}

function pickByKey(event, options) {
  if (event.ctrlKey || event.altKey || event.metaKey) {
    return;
  }
  const digit = digitOf(event);
  const at = digit === null ? -1 : KEYS.indexOf(String(digit));
  if (at >= 0) {
    event.preventDefault();
    options[at].click();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1, KeyJ: 1, KeyK: -1 }[event.code];
  if (step) {
    event.preventDefault();
    const here = options.indexOf(document.activeElement);
    options[(here + step + options.length) % options.length].focus();
  }
}

/** Ask for a note. Returns its text (may be empty), or null. */
export function askNote(title, hint, confirm, value = "") {
  return ask("note", title, (close) => {
    const field = h("textarea", { id: "note", rows: "4", maxlength: "2000", dir: "auto", "data-first": "", value });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        close(field.value.trim());
      }
    });
    return [
      h("label", { for: "note" }, hint),
      field,
      h("div", { class: "row" }, button(confirm, { class: "primary", keys: "Ctrl+Enter", "aria-keyshortcuts": "Control+Enter", on: { click: () => close(field.value.trim()) } }),
        button(say("dialog.cancel"), { on: { click: () => close(null) } })),
    ];
  });
}

/** Ask whether to go on. Returns true or null. */
export function askWhether(title, text, confirm) {
  return ask("confirm", title, (close) => [
    text ? h("p", {}, text) : null,
    h("div", { class: "row" }, button(confirm, { class: "primary", "data-first": "", on: { click: () => close(true) } }),
      button(say("dialog.cancel"), { on: { click: () => close(null) } })),
  ]);
}

const HELP = [
  ["J ↓", "help.next"],
  ["K ↑", "help.previous"],
  ["A", "help.approve"],
  ["R", "help.reject"],
  ["S", "help.skip"],
  ["E", "help.escalate"],
  ["N", "help.note"],
  ["U", "help.undo"],
  ["D", "help.figures"],
  ["O", "help.open"],
  ["T", "help.thread"],
  ["W", "help.author"],
  ["X", "help.select"],
  ["Shift+A", "help.approve_selected"],
  ["Shift+R", "help.reject_selected"],
  ["/", "help.search"],
  ["?", "help.help"],
];

/** Show every key, and let single keys be switched off. */
export function showHelp({ isOn, isLead, onSwitch }) {
  const lines = isLead ? [...HELP, ["H", "help.hold"]] : HELP;
  return ask("help", say("help.title"), (close) => [
    h("dl", { class: "keys" }, lines.map(([keys, key]) =>
      h("div", {}, h("dt", {}, keys.split(" ").map((one) => h("kbd", { dir: "ltr" }, one))), h("dd", {}, say(key))))),
    h("p", { class: "hint" }, say("help.layout")),
    h("label", { class: "switch" },
      h("input", { type: "checkbox", checked: isOn, on: { change: (event) => onSwitch(event.target.checked) } }), say("help.switch")),
    h("div", { class: "row" }, button(say("dialog.close"), { class: "primary", "data-first": "", on: { click: () => close(null) } })),
  ]);
}
