// What a moderator decides, and what the service says to it. The list moves on at once; what is refused comes back with its reason.

import { call, Problem } from "./api.js";
import { askNote, askReason, askWhether } from "./dialogs.js";
import { faultOf } from "./faults.js";
import { Log } from "./log.js";
import { likeliestReason, reasonName } from "./reasons.js";
import { say } from "./words.js";

const MOST_AT_ONCE = 500;

export class Decisions {
  constructor(desk) {
    this.desk = desk;
    this.app = desk.app;
    this.log = new Log();
  }

  async reject() {
    const entry = this.desk.focused;
    const reason = entry && (await askReason(entry.task?.kind === "audit" ? null : likeliestReason(entry.comment)));
    if (reason) {
      this.decide("reject", { reason, entry });
    }
  }

  /** Leads send an escalated comment back to everybody. */
  hold() {
    if (this.desk.focused?.task?.kind === "escalated") {
      this.decide("hold");
    }
  }

  decide(verdict, { reason, sequence, entry = this.desk.focused } = {}) {
    if (!entry || !this.mayGoOn()) {
      return;
    }
    const note = this.desk.note || undefined;
    const at = this.desk.queue.take(entry.id);
    const body = { verdict, reason, note, sequence, revision: this.desk.readOf(entry).revision };
    this.send({ kind: "decide", ids: [entry.id], path: `/v1/comments/${entry.id}/decision`, body }, [{ entry, at }]);
    this.desk.goOn(at, say(`done.${verdict}`, { reason: reason ? reasonName(reason) : "" }));
  }

  async decideSelected(verdict) {
    const entries = this.desk.queue.entries.filter((entry) => this.desk.picked.has(entry.id));
    if (entries.length === 0 || !this.mayGoOn()) {
      return;
    }
    const count = entries.length;
    const reason = verdict === "reject" ? await askReason(likeliestReason(entries[0].comment), count) : undefined;
    const isMeant = verdict === "reject" ? reason : await askWhether(say("bulk.approve_title", { count }), null, say("action.approve"));
    if (!isMeant) {
      return;
    }
    const taken = entries.slice(0, MOST_AT_ONCE).map((entry) => ({ entry, at: this.desk.queue.take(entry.id) }));
    const items = taken.map(({ entry }) => ({ id: entry.id, revision: this.desk.picked.get(entry.id) }));
    taken.forEach(({ entry }) => this.desk.picked.delete(entry.id));
    this.send({ kind: "bulk", ids: items.map((item) => item.id), path: "/v1/decisions", body: { verdict, reason, items } }, taken);
    this.desk.goOn(taken[0].at, say(`done.${verdict}_many`, { count, reason: reason ? reasonName(reason) : "" }));
  }

  async escalate() {
    const entry = this.desk.focused?.task?.kind === "escalated" ? null : this.desk.focused;
    const note = entry && (await askNote(say("escalate.title"), say("escalate.hint"), say("action.escalate"), this.desk.note));
    if (typeof note !== "string" || !this.mayGoOn()) {
      return;
    }
    const at = this.desk.queue.take(entry.id);
    const body = { revision: this.desk.readOf(entry).revision, note: note || undefined };
    this.send({ kind: "escalate", ids: [entry.id], path: `/v1/comments/${entry.id}/escalate`, body }, [{ entry, at }]);
    this.desk.goOn(at, say("done.escalate"));
  }

  async writeNote() {
    const entry = this.desk.focused;
    const note = entry && (await askNote(say("note.title"), say("note.hint"), say("note.save"), this.desk.note));
    if (typeof note === "string" && entry === this.desk.focused) {
      this.desk.note = note;
      this.desk.drawActions(entry);
    }
  }

  skip() {
    const entry = this.desk.focused;
    if (entry) {
      entry.isSkipped = true;
      this.desk.queue.release(entry);
      const at = this.desk.queue.entries.indexOf(entry);
      this.desk.goOn(at + 1, say("done.skip"), { hasUndo: false });
    }
  }

  mayGoOn() {
    if (this.app.outbox.isFull) {
      this.app.toast(say("outbox.full"), { kind: "fault" });
      return false;
    }
    return true;
  }

  send(order, taken) {
    const sent = { ...order, id: crypto.randomUUID(), method: "POST" };
    if (order.kind !== "undo") {
      this.log.add({ id: sent.id, kind: order.kind, taken });
    }
    this.desk.count(taken.map(({ entry }) => entry), -1);
    this.app.outbox.add(sent);
  }

  undo() {
    const last = this.log.takeLast();
    if (!last) {
      this.app.toast(say("undo.nothing"));
      return;
    }
    if (last.kind === "escalate" && !this.app.outbox.cancel(last.id)) {
      this.app.toast(say("undo.escalation"));
      return;
    }
    const isUnsent = last.kind === "escalate" || this.app.outbox.cancel(last.id);
    this.desk.count(last.taken.map(({ entry }) => entry), 1);
    for (const { entry, at } of [...last.taken].reverse()) {
      this.desk.queue.putBack(Object.assign(entry, { fault: undefined, isUnsettled: !isUnsent }), at);
      if (!isUnsent) {
        this.send({ kind: "undo", ids: [entry.id], path: `/v1/comments/${entry.id}/undo`, body: {} }, []);
      }
    }
    this.app.toast(say("done.undo", { count: last.taken.length }));
    this.desk.focus(last.taken[0].entry.id);
  }

  /** An order was carried out. */
  settled(order, answer) {
    this.app.reached(true);
    if (order.kind === "bulk") {
      this.settledBulk(order, answer.results);
    } else if (order.kind === "undo") {
      const entry = this.desk.queue?.find(order.ids[0]);
      if (entry) {
        Object.assign(entry, { isUnsettled: false, comment: entry.task?.kind === "audit" ? entry.comment : answer });
      }
    } else {
      this.desk.queue?.confirm(order.ids[0], answer.sequence);
    }
  }

  settledBulk(order, results) {
    const failed = results.filter((result) => result.status !== 200);
    results.filter((result) => result.status === 200).forEach((result) => this.desk.queue?.confirm(result.id, result.sequence));
    const known = this.log.find(order.id);
    const lost = new Set(failed.map((result) => result.id));
    if (known) {
      known.taken = known.taken.filter(({ entry }) => !lost.has(entry.id));
    }
    failed.forEach((result) => this.failed(result.id, new Problem(result.status, result), order));
  }

  /** An order was refused for good. */
  refused(order, problem) {
    const known = this.log.drop(order.id);
    if (order.kind === "undo") {
      this.app.toast(say("undo.refused", { why: problem.message }), { kind: "fault" });
      this.desk.queue?.take(order.ids[0]);
      this.desk.afterChange();
      return;
    }
    this.app.outbox.orders.filter((one) => one.kind === "undo" && one.ids[0] === order.ids[0]).forEach((one) => this.app.outbox.cancel(one.id));
    order.ids.forEach((id) => this.failed(id, problem, order, known?.taken.find(({ entry }) => entry.id === id)));
  }

  /** Put a comment back whose decision did not go through, and say why. */
  async failed(id, problem, order, taken = null) {
    if (["gone", "unknown-comment"].includes(problem.code)) {
      this.app.toast(problem.message, { kind: "fault" });
      return;
    }
    const entry = taken?.entry ?? this.desk.queue?.find(id) ?? { id, task: { kind: "held" } };
    const before = entry.comment;
    if (problem.code === "stale-revision" || !before) {
      entry.comment = await call("GET", `/v1/comments/${id}`).catch(() => before);
    }
    if (!entry.comment || !this.desk.queue) {
      this.app.toast(problem.message, { kind: "fault" });
      return;
    }
    if (problem.code === "claim-lost") {
      entry.claim = { by: problem.body.claimed_by, expires_at: problem.body.expires_at };
    }
    entry.fault = faultOf(problem, { entry, before, order, desk: this.desk });
    this.desk.queue.putBack(entry, taken?.at ?? 0);
    this.desk.count([entry], 1);
    if (!this.desk.focused || this.desk.focusedId === id) {
      this.desk.focus(id);
    } else {
      this.desk.drawList();
      this.desk.drawPlace();
    }
    const show = { action: say("fault.show"), act: () => this.desk.focus(id) };
    this.app.toast(say(`fault.toast`, { name: entry.comment.author.name || say("comment.nameless") }), { kind: "fault", ...show });
  }

  /** Take an entry off the list, as somebody else has decided it and that may stand. */
  leave(entry) {
    const at = this.desk.queue.take(entry.id);
    this.desk.goOn(at, say("done.left"), { hasUndo: false });
  }
}
