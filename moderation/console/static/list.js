// The list of what waits: one row a comment, changed in place so that nothing jumps under the reader's eyes.

import { isOthers } from "./claims.js";
import { h, isolated } from "./dom.js";
import { directionOf, shortened } from "./passages.js";
import { reasonName } from "./reasons.js";
import { age, authorName, say } from "./words.js";

const EXCERPT = 140;
const BY_MODE = ["premoderation", "first_comment"];

export class List {
  constructor({ choose, pick, isFree }) {
    Object.assign(this, { choose, pick, isFree });
    this.rows = new Map();
    this.element = h("ol", { class: "list", "aria-label": say("list.label") });
  }

  /** Show these entries, in this order. */
  show(entries, { focusedId, picked }) {
    const ids = new Set(entries.map((entry) => entry.id));
    [...this.rows.keys()].filter((id) => !ids.has(id)).forEach((id) => this.drop(id));
    let before = null;
    for (const entry of entries) {
      const row = this.rowOf(entry);
      this.paint(row, entry, entry.id === focusedId, picked.has(entry.id));
      const place = before === null ? this.element.firstChild : before.nextSibling;
      if (place !== row.item) {
        this.element.insertBefore(row.item, place);
      }
      before = row.item;
    }
  }

  drop(id) {
    this.rows.get(id).item.remove();
    this.rows.delete(id);
  }

  rowOf(entry) {
    const known = this.rows.get(entry.id);
    if (known && known.revision === entry.comment.revision && known.kind === entry.task?.kind) {
      return known;
    }
    known?.item.remove();
    const row = this.build(entry);
    this.rows.set(entry.id, row);
    return row;
  }

  build({ id, comment, task }) {
    const name = authorName(comment);
    const box = h("input", { type: "checkbox", class: "pick", "aria-label": say("list.pick", { name }), on: { change: () => this.pick(id) } });
    const time = h("time", { datetime: comment.received_at }, age(comment.received_at));
    const state = h("span", { class: "row-state" });
    const choice = h(
      "button",
      { type: "button", class: "row", on: { click: () => this.choose(id) } },
      h("span", { class: "row-head" }, isolated(name, { class: "row-name" }), time),
      h("span", { class: "row-text", dir: directionOf(comment.text) }, shortened(comment.text, EXCERPT)),
      h("span", { class: "row-tags" }, tags(comment, task), state),
    );
    const item = h("li", { "data-id": id }, h("label", { class: "pick-area" }, box), choice);
    return { item, box, choice, time, state, revision: comment.revision, kind: task?.kind };
  }

  paint(row, entry, isFocused, isPicked) {
    row.item.className = ["item", isFocused && "is-focused", isPicked && "is-picked", !this.isFree(entry) && "is-off", entry.fault && "is-faulty"]
      .filter(Boolean)
      .join(" ");
    row.box.checked = isPicked;
    for (const control of [row.box, row.choice]) {
      control.tabIndex = isFocused ? 0 : -1; // the row that is read alone is stopped at; keys move within the list
    }
    row.time.textContent = age(entry.comment.received_at);
    row.state.textContent = stateOf(entry);
    if (isFocused) {
      row.choice.setAttribute("aria-current", "true");
    } else {
      row.choice.removeAttribute("aria-current");
    }
  }

  /** Bring a row into view, without moving the page. */
  reveal(id) {
    this.rows.get(id)?.item.scrollIntoView({ block: "nearest" });
  }
}

function tags(comment, task) {
  if (task?.kind === "audit") {
    return h("span", { class: "tag is-audit" }, say("kind.audit"));
  }
  const codes = comment.reasons.map((reason) => reason.code).filter((code) => !BY_MODE.includes(code));
  const escalated = task?.kind === "escalated" ? h("span", { class: "tag is-escalated" }, say("kind.escalated")) : null;
  return [escalated, codes.slice(0, 2).map((code) => h("span", { class: `tag is-${code}` }, reasonName(code)))].flat().filter(Boolean);
}

function stateOf(entry) {
  const key = entry.fault ? "list.faulty" : entry.isClosed ? "list.closed" : isOthers(entry.claim) ? "list.claimed" : entry.isSkipped ? "list.skipped" : null;
  return key ? say(key) : "";
}
