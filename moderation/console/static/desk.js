// The desk: the queue beside one comment to read, and a decision at a key press.

import { call, Problem, withQuery } from "./api.js";
import { AHEAD, Claims } from "./claims.js";
import { Decisions } from "./decisions.js";
import { button, focusUnlessBusy, h } from "./dom.js";
import { stale } from "./faults.js";
import { filters, queryOf, selectionOf, showCounts } from "./filters.js";
import { List } from "./list.js";
import { emptyPane, brokenPane, skeleton } from "./panes.js";
import { Queue } from "./queue.js";
import { reading } from "./reading.js";
import { age, authorName, say } from "./words.js";

const POLL_MS = 20_000;
const MEND_MS = 10_000;
const IDLE_MS = 300_000;
const PAUSE_MS = 700;
const DWELL_MS = 350;
const MORE_FROM = 15;

export class Desk {
  constructor(app) {
    this.app = app;
    this.claims = new Claims((id) => this.lostClaim(id));
    this.list = new List({ choose: (id) => this.choose(id), pick: (id) => this.pick(id), isFree: (entry) => this.queue.isFree(entry) });
    this.decisions = new Decisions(this);
    this.surroundings = app.surroundings;
    this.picked = new Map();
    this.note = "";
    this.showFigures = false;
    this.element = this.build();
    this.actedAt = Date.now();
    setInterval(() => this.poll(), POLL_MS);
    document.addEventListener("visibilitychange", () => document.hidden || this.poll());
    ["keydown", "pointerdown"].forEach((type) => addEventListener(type, () => this.acted(), { passive: true }));
  }

  // ---- what is on the page

  build() {
    this.filterPlace = h("div", {});
    this.bulkBar = h("div", { class: "bulk", hidden: true });
    this.newcomers = h("button", { type: "button", class: "newcomers", hidden: true, on: { click: () => this.letIn() } });
    this.listEnd = h("p", { class: "list-end" });
    this.place = h("p", { class: "place" });
    this.undoButton = h("button", { type: "button", class: "step is-undo", hidden: true, "aria-keyshortcuts": "U", on: { click: () => this.run("undo") } }, say("action.undo"));
    this.article = h("article", { class: "paper", tabIndex: -1, id: "paper" });
    this.actions = h("div", { class: "actions", role: "group", "aria-label": say("action.label"), hidden: true });
    this.rest = button(say("pane.rest"), { class: "rest-of-text", hidden: true, on: { click: () => this.scroll.scrollBy({ top: this.scroll.clientHeight * 0.8 }) } });
    this.scroll = h("div", { class: "pane-scroll" }, this.article, this.rest);
    // What was scrolled past counts as seen: the margin reaches far above.
    this.textEnd = new IntersectionObserver((seen) => (this.rest.hidden = seen.at(-1).isIntersecting), { root: this.scroll, rootMargin: "1000000px 0px 0px" });
    const scroll = h("div", { class: "list-scroll" }, this.newcomers, this.list.element, this.listEnd);
    scroll.addEventListener("scroll", () => this.readOnNearEnd(scroll), { passive: true });
    this.article.addEventListener("click", (event) => this.clickedInArticle(event));
    return h("div", { class: "desk" },
      h("h1", { class: "unseen" }, say("desk.title")),
      h("section", { class: "list-side", "aria-label": say("list.label") }, this.filterPlace, this.bulkBar, scroll),
      h("section", { class: "pane", "aria-label": say("pane.label") }, this.paneHead(), this.scroll, this.actions));
  }

  paneHead() {
    return h("div", { class: "pane-head" },
      button(say("list.open"), { class: "list-toggle", "aria-expanded": "false", on: { click: (event) => this.toggleList(event.currentTarget) } }),
      this.place,
      h("div", { class: "steps" },
        this.undoButton,
        h("button", { type: "button", class: "step", "aria-label": say("help.previous"), on: { click: () => this.step(-1) } }, "↑"),
        h("button", { type: "button", class: "step", "aria-label": say("help.next"), on: { click: () => this.step(1) } }, "↓")));
  }

  toggleList(toggle, isOpen = !this.element.classList.contains("shows-list")) {
    this.element.classList.toggle("shows-list", isOpen);
    (toggle ?? this.element.querySelector(".list-toggle")).setAttribute("aria-expanded", String(isOpen));
  }

  // ---- opening a selection

  /** Show the queue that an address names. A selection that is shown already stays as it is. */
  async open(query) {
    const selection = selectionOf(query, this.app.site.name);
    this.app.focusTitle(say("desk.title"));
    this.app.deskAddress = location.pathname + location.search;
    if (this.queue && JSON.stringify(selection) === JSON.stringify(this.queue.selection)) {
      focusUnlessBusy(this.article);
      return this.poll(true);
    }
    this.claims.releaseAll();
    if (selection.site !== this.selection?.site) {
      this.counts = undefined;
    }
    this.selection = selection;
    this.queue = new Queue(selection, this.claims);
    this.app.outbox.orders.filter((order) => order.kind !== "undo" && order.page !== "comment").flatMap((order) => order.ids).forEach((id) => this.queue.take(id));
    Object.assign(this, { focusedId: null, picked: new Map(), isReady: false });
    this.drawFilters();
    return this.load();
  }

  async load() {
    const { queue } = this;
    this.article.replaceChildren(skeleton());
    this.list.show([], { focusedId: null, picked: this.picked });
    try {
      await queue.start();
    } catch (problem) {
      return queue === this.queue ? this.showBroken(problem) : undefined;
    }
    if (queue === this.queue) {
      this.isReady = true;
      this.drawFilters();
      this.focus(this.firstFree()?.id ?? null);
      this.quietly(() => this.readCounts());
    }
  }

  showBroken(problem) {
    this.queue = null;
    const query = new URLSearchParams(location.search);
    this.article.replaceChildren(brokenPane(problem, () => this.open(query)));
    clearTimeout(this.mending);
    this.mending = setTimeout(() => this.queue === null && this.app.isShown(this) && this.open(query), MEND_MS);
    this.actions.hidden = true;
  }

  change(part) {
    const selection = { ...this.selection, ...part };
    this.app.go(`/console/?${queryOf(selection, this.app.usualSite)}`.replace(/\?$/u, ""), { replaces: true });
  }

  drawFilters() {
    const { selection } = this;
    const title = this.queue.entries.find((entry) => entry.comment.thread.id === selection.thread)?.comment.thread.title;
    this.filterPlace.replaceChildren(
      filters(selection, { isLead: this.app.isLead(selection.site), threadTitle: title, change: (part) => this.change(part) }));
    showCounts(this.filterPlace, this.counts);
  }

  // ---- moving

  firstFree() {
    return this.queue.entries.find((entry) => this.queue.isFree(entry)) ?? this.queue.entries[0];
  }

  get focused() {
    return this.queue?.find(this.focusedId) ?? null;
  }

  step(by) {
    const { entries } = this.queue ?? { entries: [] };
    const at = entries.findIndex((entry) => entry.id === this.focusedId);
    const to = entries[Math.min(Math.max(at + by, 0), entries.length - 1)];
    if (to && to.id !== this.focusedId) {
      this.focus(to.id);
    }
  }

  choose(id) {
    this.toggleList(null, false);
    this.focus(id);
  }

  /** Read this comment next; null where nothing waits. */
  focus(id) {
    this.dropClosed(id);
    this.focusedId = id;
    this.note = "";
    this.draw();
    this.list.reveal(id);
    this.article.scrollIntoView(); // within its pane, and where all of the page moves, on it
    focusUnlessBusy(this.article);
    this.stayWith();
    this.lookAhead();
  }

  /** Read what is around the comment once somebody stays with it. */
  stayWith() {
    clearTimeout(this.dwelling);
    this.dwelling = setTimeout(() => this.surroundings.fill(this.article, this.focused), DWELL_MS);
  }

  dropClosed(nextId) {
    if (this.queue) {
      this.queue.entries = this.queue.entries.filter((entry) => !entry.isClosed || entry.id === nextId);
    }
  }

  /** Keep some entries reserved and some read ahead. */
  lookAhead() {
    const { queue } = this;
    const at = queue.entries.findIndex((entry) => entry.id === this.focusedId);
    const ahead = queue.entries.slice(Math.max(at, 0)).filter((entry) => queue.isFree(entry));
    const reserved = ahead.slice(0, AHEAD).filter((entry) => this.claims.has(entry.id)).length;
    const isShort = queue.entries.length - at < MORE_FROM && queue.next;
    if (reserved <= 1) {
      this.quietly(() => queue.claimAhead());
    }
    if (isShort) {
      this.quietly(() => queue.more());
    }
  }

  readOnNearEnd(scroll) {
    if (this.queue?.next && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 600) {
      this.quietly(() => this.queue.more());
    }
  }

  /** Do something in the background: what fails there is said in the header, and tried again with the next poll. */
  async quietly(work) {
    const { queue } = this;
    try {
      await work();
      this.failure = null;
      this.app.reached(true);
    } catch (problem) {
      this.failure = problem;
      this.app.reached(!(problem instanceof Problem && problem.isPassing));
    }
    if (queue === this.queue) {
      this.afterChange();
    }
  }

  afterChange() {
    const isNothing = this.focusedId === null || !this.focused;
    if (this.isReady && isNothing && this.queue.entries.length) {
      this.focus(this.firstFree().id);
      return;
    }
    this.drawList();
    this.drawPlace();
    this.tellOfChange();
    if (this.isReady && isNothing) {
      this.readOnFromNothing();
    }
  }

  /** The service answers: what it could not give before is asked for now, not at the next poll. */
  isAnswered() {
    if (this.failure && this.isReady && !this.focused) {
      this.poll(true);
    }
  }

  /** Nothing more is here to be read. With a filter many pages may be empty: read on until one is not, or there are no more. */
  readOnFromNothing() {
    if (this.nothing !== this.kindOfNothing()) {
      this.drawArticle();
    }
    if (this.queue.next && !this.failure && !this.queue.isReading) {
      this.quietly(() => this.queue.more());
    }
  }

  /** What is read was edited, decided or taken meanwhile: say so on it. A decision is still on the text that was read. */
  tellOfChange() {
    const entry = this.focused;
    if (!entry || this.shown?.id !== entry.id) {
      return;
    }
    const isEdited = entry.comment.revision !== this.shown.revision;
    if (isEdited) {
      entry.fault = stale(entry, this.shown);
    }
    if (isEdited || this.queue.isFree(entry) !== this.wasFree) {
      this.drawArticle();
      this.stayWith();
      this.pause();
      this.app.announce(say(isEdited ? "fault.stale" : entry.isClosed ? "queue.closed" : "list.claimed"));
    }
  }

  /** Take no decision for a moment: what is on the page has just become something else. */
  pause() {
    this.actions.inert = true;
    clearTimeout(this.pausing);
    this.pausing = setTimeout(() => (this.actions.inert = false), PAUSE_MS);
  }

  /** Return a comment as it was read: as it is on the page, should there be a newer text already. */
  readOf(entry) {
    return this.shown?.id === entry.id ? this.shown : entry.comment;
  }

  /** Count entries in or out until the service is asked again. */
  count(entries, by) {
    for (const entry of this.counts ? entries : []) {
      // A colleague may have passed it on since the service counted: then it still stands among those that wait.
      const kind = this.counts[entry.task?.kind] + by < 0 ? "held" : entry.task?.kind;
      this.counts.all += by;
      this.counts[kind] += by;
    }
    showCounts(this.filterPlace, this.counts);
  }

  letIn() {
    this.queue.letIn();
    this.drawList();
    this.element.querySelector(".list-scroll").scrollTop = 0;
  }

  // ---- drawing

  draw() {
    this.drawList();
    this.drawPlace();
    this.drawArticle();
  }

  drawList() {
    const { queue } = this;
    this.list.show(queue.entries, { focusedId: this.focusedId, picked: this.picked });
    this.newcomers.hidden = queue.waitingToJoin.length === 0;
    this.newcomers.textContent = say("list.newcomers", { count: queue.waitingToJoin.length });
    this.listEnd.textContent = queue.next ? say("list.more") : "";
    const written = this.article.querySelector(".author-line time");
    if (written) {
      written.textContent = age(written.dateTime); // as old as its row says, however long it has been read
    }
    this.drawBulk();
  }

  drawPlace() {
    const { entries, isWhole } = this.queue;
    const at = entries.findIndex((entry) => entry.id === this.focusedId);
    const { kind, reason, language, thread } = this.queue.selection;
    const counted = reason || language || thread ? 0 : (this.counts?.[kind || "all"] ?? 0);
    const total = isWhole ? entries.length : Math.max(counted, entries.length);
    const key = isWhole || counted ? "pane.place" : "pane.place_more";
    this.undoButton.hidden = !this.decisions.log.canTakeBack;
    this.place.textContent = at < 0 ? "" : say(key, { at: at + 1, count: total });
    this.element.querySelector(".list-toggle span").textContent = total > 0 ? say("list.open_count", { count: total }) : say("list.open");
  }

  drawArticle() {
    const entry = this.focused;
    this.shown = entry?.comment;
    this.wasFree = entry !== null && this.queue.isFree(entry);
    this.actions.hidden = entry === null;
    if (entry === null) {
      this.textEnd.disconnect();
      this.rest.hidden = true;
      this.article.replaceChildren(this.nothingPane());
      this.article.removeAttribute("aria-label");
      this.article.removeAttribute("aria-describedby");
      return;
    }
    const moderatorOf = (id) => this.app.nameOf(id, entry.comment.site);
    this.article.replaceChildren(...reading(entry, { showFigures: this.showFigures, moderatorOf }));
    this.watchTextEnd();
    this.article.setAttribute("aria-label", say("pane.comment_by", { name: authorName(entry.comment) }));
    this.article.setAttribute("aria-describedby", "comment-text"); // so that it is read out as the focus comes to it
    this.drawActions(entry);
  }

  /** What stands where no comment does: none waits; or more do, and are on their way, or cannot be had for the moment. */
  nothingPane() {
    const { selection } = this.queue;
    const look = () => this.poll(true);
    this.nothing = this.kindOfNothing();
    return {
      empty: () => emptyPane(selection, look, () => this.change({ kind: "", reason: "", language: "", thread: "" })),
      broken: () => brokenPane(this.failure, look),
      coming: skeleton,
    }[this.nothing]();
  }

  kindOfNothing() {
    if (this.isReady && !this.queue.next) {
      return "empty";
    }
    return this.isReady && this.failure ? "broken" : "coming";
  }

  /** Say so while the end of the text is out of sight: nobody approves what they did not see by oversight. */
  watchTextEnd() {
    const end = this.article.querySelector(".text-end");
    this.textEnd.disconnect();
    this.rest.hidden = true;
    if (end) {
      this.textEnd.observe(end);
    }
  }

  drawActions(entry) {
    const isLead = this.app.isLead(entry.comment.site);
    const make = (name, keys, kind = "") => button(say(`action.${name}`), { keys, class: `action ${kind}`, "data-do": name, on: { click: () => this.run(name) } });
    this.actions.replaceChildren(...[
      make("approve", "A", "is-approve"),
      make("reject", "R", "is-reject"),
      make("skip", "S"),
      entry.task?.kind === "escalated" ? null : make("escalate", "E"),
      make("note", "N", this.note ? "is-set" : ""),
      isLead && entry.task?.kind === "escalated" ? make("hold", "H") : null,
      make("open", "O"),
    ].filter(Boolean));
  }

  drawBulk() {
    const count = this.picked.size;
    this.bulkBar.hidden = count === 0;
    this.bulkBar.replaceChildren(...(count === 0 ? [] : [
      h("strong", {}, say("bulk.count", { count })),
      button(say("bulk.all"), { on: { click: () => this.pickAll() } }),
      button(say("bulk.none"), { on: { click: () => this.pickNone() } }),
      button(say("action.approve"), { class: "is-approve", keys: "Shift+A", on: { click: () => this.run("approveSelected") } }),
      button(say("action.reject"), { class: "is-reject", keys: "Shift+R", on: { click: () => this.run("rejectSelected") } }),
    ]));
  }

  clickedInArticle(event) {
    const name = event.target.closest("[data-do]")?.dataset.do;
    if (name) {
      this.run(name);
    }
  }

  // ---- selecting many

  pick(id = this.focusedId) {
    if (id !== null) {
      this.picked.has(id) ? this.picked.delete(id) : this.picked.set(id, this.readOf(this.queue.find(id)).revision);
      this.drawList();
      this.app.announce(say("bulk.count", { count: this.picked.size }));
    }
  }

  pickAll() {
    this.picked = new Map(this.queue.entries.filter((entry) => this.queue.isFree(entry)).map((entry) => [entry.id, entry.comment.revision]));
    this.drawList();
  }

  pickNone() {
    this.picked = new Map();
    this.drawList();
  }

  // ---- doing

  /** Do what a key or a button asks for. Returns whether it is something of this page. */
  run(name) {
    const work = {
      next: () => this.step(1),
      previous: () => this.step(-1),
      approve: () => this.decisions.decide("approve"),
      reject: () => this.decisions.reject(),
      hold: () => this.decisions.hold(),
      skip: () => this.decisions.skip(),
      escalate: () => this.decisions.escalate(),
      note: () => this.decisions.writeNote(),
      undo: () => this.decisions.undo(),
      select: () => this.pick(),
      approveSelected: () => this.decisions.decideSelected("approve"),
      rejectSelected: () => this.decisions.decideSelected("reject"),
      thread: () => this.change({ thread: this.queue.selection.thread ? "" : (this.focused?.comment.thread.id ?? "") }),
      back: () => this.toggleList(null, false),
      figures: () => this.toggleFigures(),
      revisions: () => this.surroundings.showRevisions(this.article, this.focused),
      author: () => this.surroundings.showAuthor(this.article, this.focused),
      open: () => this.focused && this.app.go(`/console/comments/${this.focusedId}`),
    }[name];
    if (work && (this.queue || name === "undo")) {
      this.app.guard(work());
    }
    return work !== undefined;
  }

  toggleFigures() {
    this.showFigures = !this.showFigures;
    const part = this.article.querySelector("details.figures");
    if (part) {
      part.open = this.showFigures;
    }
  }

  /** Go to the next free entry at or after a place, else to the one before. */
  goOn(at, words, { hasUndo = true } = {}) {
    const { entries } = this.queue;
    const next = entries.slice(Math.max(at, 0)).find((entry) => this.queue.isFree(entry)) ?? entries.findLast((entry) => this.queue.isFree(entry));
    this.app.toast(words, hasUndo ? { action: say("action.undo"), keys: "U", act: () => this.decisions.undo() } : {});
    this.focus(next?.id ?? entries[0]?.id ?? null);
  }

  // ---- what the service answers

  settled(order, answer) {
    this.decisions.settled(order, answer);
  }

  refused(order, problem) {
    this.decisions.refused(order, problem);
  }

  lostClaim(id) {
    const entry = this.queue?.find(id);
    if (entry) {
      entry.claim = undefined;
    }
  }

  // ---- staying up to date

  acted() {
    const wasAway = Date.now() - this.actedAt > IDLE_MS;
    this.actedAt = Date.now();
    if (wasAway) {
      this.poll();
    }
  }

  async poll(isAsked = false) {
    const isIdle = document.hidden || Date.now() - this.actedAt > IDLE_MS;
    if ((isIdle && !isAsked) || !this.app.isShown(this) || !this.queue || !this.isReady || this.isPolling) {
      return;
    }
    this.isPolling = true;
    try {
      await this.quietly(() => Promise.all([this.queue.refresh(this.focusedId), this.claims.renewDue(), this.readCounts()]));
    } finally {
      this.isPolling = false;
    }
    if (this.queue && this.focusedId === null && !this.article.querySelector(":focus")) {
      this.drawArticle(); // when it was last looked at
    }
  }

  async readCounts() {
    const { queue } = this;
    const { kinds } = await call("GET", withQuery("/v1/queue/counts", { site: queue.selection.site }));
    if (queue === this.queue) {
      this.counts = countsByKind(kinds);
      showCounts(this.filterPlace, this.counts);
      this.drawPlace();
    }
  }
}

/** Return how much is open by kind, and of `all` kinds. */
function countsByKind(kinds) {
  const counts = Object.fromEntries(Object.entries(kinds).map(([kind, { open }]) => [kind, open]));
  return { ...counts, all: Object.values(counts).reduce((sum, open) => sum + open, 0) };
}
