// One comment with everything known of it, at an address of its own.

import { authorPanel } from "./author.js";
import { call, ifOffered, whyOf } from "./api.js";
import { askNote, askReason } from "./dialogs.js";
import { button, flat, focusUnlessBusy, h, isolated } from "./dom.js";
import { conflictNotice } from "./faults.js";
import { brokenPane, skeleton } from "./panes.js";
import { reading } from "./reading.js";
import { likeliestReason, reasonName } from "./reasons.js";
import { resultRow } from "./found.js";
import { revisionList } from "./surroundings.js";
import { moment, say, sayWith } from "./words.js";

export class CommentPage {
  constructor(app) {
    this.app = app;
    this.surroundings = app.surroundings;
    this.article = h("article", { class: "paper", tabIndex: -1 });
    this.article.addEventListener("click", (event) => this.show(event.target.closest("[data-do]")?.dataset.do));
    this.actions = h("div", { class: "actions", role: "group", "aria-label": say("action.label") });
    this.rest = h("div", { class: "rest" });
    this.back = h("a", { href: "/console/" }, say("page.back"));
    this.element = h("div", { class: "single" },
      h("h1", { class: "unseen" }, say("page.comment")), h("p", {}, this.back), this.article, this.actions, this.rest);
  }

  async open(_query, id) {
    this.id = id;
    this.back.href = this.app.deskAddress;
    this.app.focusTitle(say("page.comment"));
    this.article.replaceChildren(skeleton());
    this.rest.replaceChildren();
    this.actions.replaceChildren();
    await this.load();
    focusUnlessBusy(this.article);
  }

  async load() {
    const { id } = this;
    try {
      const [comment, history] = await Promise.all([call("GET", `/v1/comments/${id}`), call("GET", `/v1/comments/${id}/history`)]);
      if (id === this.id) {
        Object.assign(this, { comment, history });
        this.draw();
      }
    } catch (problem) {
      if (id === this.id) {
        this.article.replaceChildren(brokenPane(problem, () => this.open(null, id)));
      }
    }
  }

  draw() {
    const { comment, history } = this;
    const isLead = this.app.isLead(comment.site);
    const entry = { id: comment.id, comment, task: null };
    const state = comment.state === null ? [] : [h("p", { class: `state is-${comment.state}` }, say(`state.${comment.state}`))];
    this.article.replaceChildren(...state, ...reading(entry, { showFigures: false, moderatorOf: (by) => this.app.nameOf(by, comment.site) }));
    this.drawActions(isLead);
    this.rest.replaceChildren(...flat([
      this.timeline(history),
      history.revisions.length ? revisionList(history.revisions) : null,
      h("section", { "data-slot": "thread" }),
      h("section", { "data-slot": "author", id: "author" }),
    ]));
    this.surroundings.fill(this.article, entry);
    this.fillRest(comment);
  }

  drawActions(isLead) {
    const last = this.history.decisions.at(-1);
    const isMine = last?.moderator === this.app.me.id;
    this.isMine = isMine;
    const passedOn = this.history.escalations.at(-1);
    this.isWithLeads = Boolean(passedOn) && Date.parse(passedOn.escalated_at) > Date.parse(last?.decided_at ?? 0);
    this.mayUndo = last && last.decided_by !== "service" && last.undoes === null && (isMine || isLead);
    const make = (name, keys, kind = "") => button(say(`action.${name}`), { keys, class: `action ${kind}`, on: { click: () => this.run(name) } });
    this.actions.replaceChildren(...[
      make("approve", "A", "is-approve"),
      make("reject", "R", "is-reject"),
      isLead && (this.comment.state !== "held" || this.history.escalations.length) ? make("hold", "H") : null,
      this.isWithLeads ? null : make("escalate", "E"),
      this.mayUndo ? make("undo", "U") : null,
    ].filter(Boolean));
  }

  /** Go to the part of the page that a button of the article speaks of. */
  show(name) {
    this.rest.querySelector({ revisions: ".revisions", author: "#author" }[name] ?? "never")?.scrollIntoView();
  }

  // ---- doing

  run(name) {
    const work = {
      approve: () => this.decide("approve"),
      reject: () => this.reject(),
      hold: () => this.app.isLead(this.comment.site) && this.decide("hold"),
      escalate: () => this.escalate(),
      undo: () => this.mayUndo && this.send("undo", { sequence: this.history.decisions.at(-1).sequence, own: this.isMine || undefined }),
      back: () => this.app.go(this.app.deskAddress),
      figures: () => this.article.querySelector("details.figures summary")?.click(),
    }[name];
    if (work && (this.comment?.id === this.id || name === "back")) {
      this.app.guard(work());
    }
    return work !== undefined;
  }

  async reject() {
    const { comment } = this;
    const reason = await askReason(likeliestReason(comment));
    if (reason && comment.id === this.id) {
      this.decide("reject", { reason, revision: comment.revision });
    }
  }

  decide(verdict, { reason, sequence, revision = this.comment.revision } = {}) {
    this.send("decision", { verdict, reason, sequence, revision });
  }

  async escalate() {
    const { comment } = this;
    if (this.isWithLeads) {
      this.app.toast(say("escalate.already"));
      return;
    }
    const note = await askNote(say("escalate.title"), say("escalate.hint"), say("action.escalate"));
    if (typeof note === "string" && comment.id === this.id) {
      this.send("escalate", { revision: comment.revision, note: note || undefined });
    }
  }

  send(path, body) {
    const id = crypto.randomUUID();
    if (!this.app.mayDecide()) {
      return;
    }
    this.mayUndo = false; // until the page shows what became of this
    this.app.outbox.add({ id, page: "comment", kind: path, ids: [this.id], method: "POST", path: `/v1/comments/${this.id}/${path}`, body });
  }

  settled(order) {
    this.app.toast(say("page.done"));
    if (order.ids[0] === this.id) {
      this.load();
    }
  }

  async refused(order, problem) {
    this.app.toast(whyOf(problem), { kind: "fault" });
    if (order.ids[0] !== this.id) {
      return;
    }
    await this.load();
    if (problem.code === "conflict" && problem.body.sequence !== undefined && order.kind === "decision") {
      const { verdict, reason } = order.body;
      const replace = () => this.decide(verdict, { reason, sequence: problem.body.sequence });
      this.article.prepend(conflictNotice(problem.body, order.body, { moderatorOf: (id) => this.who(id), replace }));
    }
  }

  // ---- what was done

  timeline({ decisions, escalations }) {
    const events = [
      ...decisions.map((one) => ({ at: one.decided_at, line: this.decisionLine(one), note: one.note })),
      ...escalations.map((one) => ({ at: one.escalated_at, line: sayWith("history.escalated", { who: this.who(one.moderator) }), note: one.note })),
    ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    return h("section", { class: "history" }, h("h2", {}, say("history.title")), h("ol", {}, events.map(({ at, line, note }) =>
      h("li", {}, h("time", { class: "quiet", datetime: at }, moment(at)), h("p", {}, line), note ? h("q", { dir: "auto" }, note) : null))));
  }

  decisionLine(one) {
    const who = one.decided_by === "moderator" ? this.who(one.moderator) : one.decided_by === "site" ? isolated(one.moderator ?? "") : say("history.service");
    if (one.undoes !== null) {
      return sayWith("history.undid", { who });
    }
    const why = one.reasons.map((reason) => reasonName(reason.code)).join(" · ");
    return [sayWith("history.decided", { who, what: say(`verdict.${one.verdict ?? "hold"}`) }), why ? h("span", { class: "quiet" }, ` · ${why}`) : null].filter(Boolean);
  }

  who(id) {
    return this.app.nameOf(id, this.comment.site);
  }

  // ---- around it

  async fillRest(comment) {
    const read = (name) => ifOffered(() => call("GET", `/v1/comments/${comment.id}/${name}`)).catch(() => null);
    const [thread, author] = await Promise.all([read("thread"), read("author")]);
    if (comment !== this.comment || !this.slot("thread")) {
      return; // another page since, or this one anew
    }
    const around = thread ? [...thread.before, ...thread.after] : [];
    if (around.length) {
      this.slot("thread").replaceChildren(h("h2", {}, say("page.thread")), h("ol", { class: "results" }, around.map(resultRow)));
    }
    if (author && comment.state !== null) {
      this.slot("author").replaceChildren(authorPanel(author, comment, { app: this.app, changed: () => this.load() }));
    }
  }

  slot(name) {
    return this.rest.querySelector(`[data-slot="${name}"]`);
  }
}
