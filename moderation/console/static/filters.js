// Which part of the queue is shown; kept in the address, so that it can be sent to a colleague and survives a reload.

import { h, isolated } from "./dom.js";
import { reasonName } from "./reasons.js";
import { languageName, number, say } from "./words.js";

const NAMES = ["site", "kind", "order", "reason", "language", "thread"];
const ORDERS = ["oldest", "abuse", "uncertain"];
const FILTER_REASONS = [
  "premoderation", "first_comment", "spam", "abuse", "insult", "obscene", "threat", "hate", "banned_word", "link_limit", "duplicate",
  "flood", "likely_reject", "not_scored", "unknown_language", "blocked_author", "honeypot", "too_fast", "form_nonce", "partly_read",
  "unconfirmed",
];
const LANGUAGES = ["ar", "en", "fr"];

/** Read a selection from the query of an address. */
export function selectionOf(query, site) {
  const found = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""]));
  return { ...found, site: found.site || site, order: ORDERS.includes(found.order) ? found.order : "oldest" };
}

/** Return the query that `selectionOf` reads; what is usual is left out. */
export function queryOf(selection, usualSite) {
  const set = NAMES.filter((name) => selection[name] && !(name === "order" && selection.order === "oldest"))
    .filter((name) => name !== "site" || selection.site !== usualSite)
    .map((name) => [name, selection[name]]);
  return new URLSearchParams(set).toString();
}

/** The controls above the list. `change` gets what was chosen: a part of a selection. */
export function filters(selection, { isLead, threadTitle, change }) {
  const kinds = ["", "held", "audit", ...(isLead ? ["escalated"] : [])];
  return h(
    "div",
    { class: "filters", role: "group", "aria-label": say("filter.label") },
    h("div", { class: "kinds", role: "group", "aria-label": say("filter.kind") }, kinds.map((kind) =>
      h("button", { type: "button", class: "kind", "data-kind": kind, "aria-pressed": String(selection.kind === kind), on: { click: () => change({ kind }) } },
        say(kind ? `kind.${kind}` : "kind.all"), h("span", { class: "count", "data-count": kind || "all" })))),
    h("div", { class: "choices" },
      choice("order", ORDERS.map((order) => [order, say(`order.${order}`)]), selection, change),
      choice("reason", [["", say("filter.any_reason")], ...FILTER_REASONS.map((code) => [code, reasonName(code)])], selection, change),
      choice("language", [["", say("filter.any_language")], ...languages(selection).map((code) => [code, languageName(code)])], selection, change)),
    selection.thread
      ? h("p", { class: "thread-filter" }, say("filter.thread"), " ", isolated(threadTitle || selection.thread), " ",
        h("button", { type: "button", class: "chip", on: { click: () => change({ thread: "" }) } }, say("filter.thread_off")))
      : null,
  );
}

function languages({ language }) {
  return [...new Set([...LANGUAGES, language])].filter(Boolean);
}

function choice(name, options, selection, change) {
  const select = h("select", { name, "aria-label": say(`filter.${name}`), on: { change: (event) => change({ [name]: event.target.value }) } },
    options.map(([value, label]) => h("option", { value, selected: selection[name] === value }, label)));
  return select;
}

/** Write counts beside the kinds, but for zeros: an Arabic one looks like a dot. `counts` are by kind, and missing until known. */
export function showCounts(element, counts) {
  element.querySelectorAll("[data-count]").forEach((place) => {
    const count = counts?.[place.dataset.count];
    place.textContent = count > 0 ? number(count) : "";
  });
}
