// Keys and what they do. A key is told by its letter where the layout has Latin ones, else by its place, as on Arabic layouts.

const PLACES = {
  Slash: "/",
  ArrowDown: "down",
  ArrowUp: "up",
  Escape: "escape",
};

const COMMANDS = {
  j: "next",
  k: "previous",
  down: "next",
  up: "previous",
  escape: "back",
  a: "approve",
  r: "reject",
  s: "skip",
  e: "escalate",
  u: "undo",
  x: "select",
  n: "note",
  h: "hold",
  d: "figures",
  o: "open",
  t: "thread",
  w: "author",
  "/": "search",
  "Shift+a": "approveSelected",
  "Shift+r": "rejectSelected",
  "Shift+/": "help",
  "?": "help",
  "؟": "help",
};
const STORED = "console.shortcuts";

/** Return the name of the command that a key press asks for, null where it asks for none. */
export function commandOf(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || isTyping(event.target)) {
    return null;
  }
  return COMMANDS[`${event.shiftKey ? "Shift+" : ""}${symbolOf(event)}`] ?? COMMANDS[event.key] ?? null;
}

function symbolOf(event) {
  if (/^[a-z]$/iu.test(event.key)) {
    return event.key.toLowerCase();
  }
  return PLACES[event.code] ?? /^Key([A-Z])$/u.exec(event.code)?.[1].toLowerCase() ?? "";
}

/** Return the digit of a key, of the row above the letters or the pad, on any layout; null for other keys. */
export function digitOf(event) {
  const found = /^(?:Digit|Numpad)(\d)$/u.exec(event.code);
  return found ? Number(found[1]) : null;
}

/** Whether keys go into a field, or into a control that has its own use for them. */
function isTyping(target) {
  return Boolean(target.closest?.("textarea, select, dialog, input:not([type=checkbox]), [contenteditable]"));
}

/** Single keys can be switched off (WCAG 2.1.4): who speaks to the computer does not decide by a stray word. */
export function areShortcutsOn() {
  return localStorage.getItem(STORED) !== "off";
}

export function setShortcuts(isOn) {
  localStorage.setItem(STORED, isOn ? "on" : "off");
}
