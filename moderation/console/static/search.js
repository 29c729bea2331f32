// Search over all comments of a site, whatever became of them.

import { call, ifOffered, withQuery } from "./api.js";
import { button, flat, h } from "./dom.js";
import { resultRow } from "./found.js";
import { brokenPane, skeleton } from "./panes.js";
import { say } from "./words.js";

const STATES = ["approved", "held", "rejected"];

export class SearchPage {
  constructor(app) {
    this.app = app;
    this.field = h("input", { type: "search", name: "q", dir: "auto", id: "search-field", autocomplete: "off" });
    this.state = h("select", { name: "state", "aria-label": say("search.state") },
      h("option", { value: "" }, say("search.any_state")), STATES.map((state) => h("option", { value: state }, say(`state.${state}`))));
    this.results = h("div", { class: "found" });
    const form = h("form", { class: "search-form", role: "search", on: { submit: (event) => this.submit(event) } },
      h("label", { for: "search-field" }, say("search.label")), this.field, this.state, h("button", { class: "primary" }, say("search.go")));
    this.state.addEventListener("change", () => form.requestSubmit());
    this.authorLine = h("p", { hidden: true }, say("search.one_author"), " ",
      button(say("search.all_authors"), { class: "chip", on: { click: () => [(this.author = ""), form.requestSubmit()] } }));
    this.element = h("div", { class: "single" }, h("h1", {}, say("search.title")), form, this.authorLine, this.results);
  }

  submit(event) {
    event.preventDefault();
    this.app.go(withQuery("/console/search", { q: this.field.value.trim(), state: this.state.value, author: this.author, site: this.siteOf() }));
  }

  siteOf() {
    return this.app.site.name === this.app.usualSite ? "" : this.app.site.name;
  }

  open(query) {
    this.app.focusTitle(say("search.title"));
    this.field.value = query.get("q") ?? "";
    this.state.value = query.get("state") ?? "";
    this.author = query.get("author") ?? "";
    this.authorLine.hidden = !this.author;
    this.results.replaceChildren();
    this.finding = null; // an answer to what was asked before is shown no more
    this.field.focus();
    return this.field.value || this.author || this.state.value ? this.find(null) : undefined;
  }

  async find(cursor) {
    const wanted = { site: this.app.site.name, q: this.field.value.trim(), state: this.state.value, author: this.author };
    const now = (this.finding = {});
    cursor ?? this.results.replaceChildren(skeleton());
    try {
      const page = await ifOffered(() => call("GET", withQuery("/v1/search", { ...wanted, limit: 30, cursor })));
      if (now === this.finding) {
        this.show(page, cursor !== null);
      }
    } catch (problem) {
      if (now === this.finding) {
        this.results.replaceChildren(brokenPane(problem, () => this.find(null)));
      }
    }
  }

  show(page, isMore) {
    if (page === null) {
      this.results.replaceChildren(h("p", { class: "quiet" }, say("search.not_offered")));
      return;
    }
    const list = (isMore && this.results.querySelector("ol")) || h("ol", { class: "results" });
    const known = list.children.length;
    list.append(...page.items.map(resultRow));
    const more = page.next ? button(say("search.more"), { on: { click: () => this.find(page.next) } }) : null;
    // A search looks at a bounded number of comments: a page may be empty and still have a next one.
    const none = say(page.next ? "search.none_yet" : "search.none");
    this.results.replaceChildren(...flat([list.children.length ? list : h("p", { class: "quiet" }, none), more]));
    this.app.announce(list.children.length ? say("search.found", { count: list.children.length }) : none);
    if (isMore) {
      (list.children[known]?.firstChild ?? more ?? this.field).focus(); // the button that was pressed is gone
    }
  }

  run(name) {
    if (name === "back") {
      this.app.go(this.app.deskAddress);
    }
    return name === "back";
  }
}
