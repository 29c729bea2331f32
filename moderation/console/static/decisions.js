// What a moderator decides, and what the service says to it. The list moves on at once; what is refused comes back with its reason.

import { call, Problem, whyOf } from "./api.js";
import { isOthers } from "./claims.js";
import { askNote, askReason, askWhether } from "./dialogs.js";
import { faultOf } from "./faults.js";
import { Log } from "./log.js";
import { likeliestReason, reasonName } from "./reasons.js";
import { authorName, say, timeOfDay } from "./words.js";

const MOST_AT_ONCE = 500;
const BLIND = { state: null, verdict: null, reasons: [], scores: null, model: null, policy: null, decided_by: null, decided_at: null };

export class Decisions {
  constructor(desk) {
    this.desk = desk;
    this.app = desk.app;
    this.log = new Log();
  }

  async reject() {
    const entry = this.desk.focused;
    if (entry && this.isAColleagues(entry)) {
      return;
    }
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

  decide(verdict, { reason, sequence, note = this.desk.note, entry = this.desk.focused } = {}) {
    if (!entry || !this.mayGoOn() || this.isAColleagues(entry)) {
      return;
    }
    const at = this.desk.queue.take(entry.id);
    const body = { verdict, reason, note: note || undefined, sequence, revision: this.desk.readOf(entry).revision };
    this.send({ kind: "decide", ids: [entry.id], path: `/v1/comments/${entry.id}/decision`, body }, [{ entry, at }]);
    this.desk.goOn(at, say(`done.${verdict}`, { reason: reason ? reasonName(reason) : "" }));
  }

  async decideSelected(verdict) {
    const { queue, picked } = this.desk;
    const entries = queue.entries.filter((entry) => picked.has(entry.id)).slice(0, MOST_AT_ONCE);
    if (entries.length === 0 || !this.mayGoOn()) {
      return;
    }
    const count = entries.length;
    const reason = verdict === "reject" ? await askReason(likeliestReason(entries[0].comment), count) : undefined;
    const isMeant = verdict === "reject" ? reason : await askWhether(say("bulk.approve_title", { count }), null, say("action.approve"));
    if (!isMeant || queue !== this.desk.queue) {
      return;
    }
    const taken = entries.map((entry) => ({ entry, at: queue.take(entry.id) }));
    const items = taken.map(({ entry }) => ({ id: entry.id, revision: picked.get(entry.id) }));
    taken.forEach(({ entry }) => picked.delete(entry.id));
    this.send({ kind: "bulk", ids: items.map((item) => item.id), path: "/v1/decisions", body: { verdict, reason, items } }, taken);
    this.desk.goOn(taken[0].at, say(`done.${verdict}_many`, { count, reason: reason ? reasonName(reason) : "" }));
  }

  async escalate() {
    const entry = this.desk.focused;
    if (entry?.task?.kind === "escalated") {
      this.app.toast(say("escalate.already"));
      return;
    }
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

  /** Whether somebody has the comment who is known, and would be given right: say so, instead of sending what is refused. */
  isAColleagues(entry) {
    const isTheirs = isOthers(entry.claim) && Boolean(entry.claim.by);
    if (isTheirs) {
      const who = this.app.nameKnown(entry.claim.by) ?? say("colleague.unknown");
      this.app.toast(say("claim.others", { who, until: timeOfDay(entry.claim.expires_at) }));
    }
    return isTheirs;
  }

  /** Whether a decision is taken now: not with too much unsent, and not in the moment after the text has changed under the eyes. */
  mayGoOn() {
    return !this.desk.actions.inert && this.app.mayDecide();
  }

  send(order, taken) {
    const sent = { ...order, id: crypto.randomUUID(), method: "POST", kinds: Object.fromEntries(taken.map(({ entry }) => [entry.id, entry.task?.kind])) };
    this.log.add({ id: sent.id, kind: order.kind, taken, queue: this.desk.queue, sequences: new Map() });
    this.desk.count(taken.map(({ entry }) => entry), -1);
    this.app.outbox.add(sent);
  }

  // ---- taking back

  undo() {
    if (!this.app.mayDecide()) {
      return;
    }
    const last = this.log.takeLast();
    if (!last) {
      this.app.toast(say("undo.nothing"));
      return;
    }
    const isUnsent = this.app.outbox.cancel(last.id);
    if (last.kind === "escalate" && !isUnsent) {
      this.app.toast(say("undo.escalation"));
      return;
    }
    if (!isUnsent) {
      last.taken.forEach(({ entry }) => this.sendUndo(last, entry));
    }
    this.app.toast(say("done.undo", { count: last.taken.length }));
    this.showAgain(last, isUnsent);
  }

  /** Undo this decision and no other: by the number that its answer has or will have, so that the same request twice is harmless, too. */
  sendUndo(last, entry) {
    // A lead who agreed with a colleague made no decision of their own: theirs is not to be taken back by a slip of the same key.
    const body = { sequence: last.sequences.get(entry.id), own: true };
    const order = { kind: "undo", of: last.id, ids: [entry.id], path: `/v1/comments/${entry.id}/undo`, body };
    this.app.outbox.add({ ...order, id: crypto.randomUUID(), method: "POST" });
  }

  /** Put what was taken back into its list, if that is still the one on the page; others find it there when they look. */
  showAgain(last, isUnsent) {
    if (last.queue !== this.desk.queue || !last.taken.length) {
      return;
    }
    this.desk.count(last.taken.map(({ entry }) => entry), 1);
    for (const { entry, at } of [...last.taken].reverse()) {
      last.queue.putBack(Object.assign(entry, { fault: undefined, stays: false, isUnsettled: !isUnsent }), at);
    }
    this.desk.focus(last.taken[0].entry.id);
  }

  // ---- what the service answers

  /** An order was carried out. */
  settled(order, answer) {
    this.app.reached(true);
    this.desk.isAnswered();
    if (order.kind === "bulk") {
      this.settledBulk(order, answer.results);
    } else if (order.kind === "undo") {
      const entry = this.desk.queue?.find(order.ids[0]);
      if (entry) {
        Object.assign(entry, { isUnsettled: false, comment: asSeen(entry, answer) });
      }
    } else {
      this.confirm(order, order.ids[0], answer.sequence);
    }
  }

  /** A decision was recorded under a number. */
  confirm(order, id, sequence) {
    this.desk.queue?.confirm(id, sequence);
    this.log.find(order.id)?.sequences.set(id, sequence);
    this.app.outbox.name(order.id, id, sequence);
  }

  settledBulk(order, results) {
    const failed = results.filter((result) => result.status !== 200);
    results.filter((result) => result.status === 200).forEach((result) => this.confirm(order, result.id, result.sequence));
    const known = this.log.find(order.id);
    const lost = new Set(failed.map((result) => result.id));
    if (known) {
      known.taken = known.taken.filter(({ entry }) => !lost.has(entry.id));
    }
    lost.forEach((id) => this.dropUndo(order, id));
    failed.forEach((result) => this.failed(result.id, new Problem(result.status, result), order));
  }

  /** An undo that waits for a decision which was not recorded has nothing to undo. */
  dropUndo(order, id) {
    this.app.outbox.orders.filter((one) => one.of === order.id && one.ids[0] === id).forEach((one) => this.app.outbox.cancel(one.id));
  }

  /** An order was refused for good. */
  refused(order, problem) {
    const known = this.log.drop(order.id);
    if (order.kind === "undo") {
      this.app.toast(say("undo.refused", { why: whyOf(problem) }), { kind: "fault" });
      if (this.desk.queue) {
        this.desk.queue.take(order.ids[0]);
        this.desk.afterChange();
      }
      return;
    }
    order.ids.forEach((id) => this.dropUndo(order, id));
    order.ids.forEach((id) => this.failed(id, problem, order, known?.taken.find(({ entry }) => entry.id === id)));
  }

  /** Put a comment back whose decision did not go through, and say why. */
  async failed(id, problem, order, taken = null) {
    if (["gone", "unknown-comment"].includes(problem.code)) {
      this.app.toast(whyOf(problem), { kind: "fault" });
      return;
    }
    const entry = taken?.entry ?? this.desk.queue?.find(id) ?? { id, task: { kind: order.kinds?.[id] ?? "held" } };
    const before = entry.comment;
    if (problem.code === "stale-revision" || !before) {
      entry.comment = await call("GET", `/v1/comments/${id}`).then((comment) => asSeen(entry, comment), () => before);
    }
    if (!entry.comment || !this.desk.queue) {
      this.app.toast(whyOf(problem), { kind: "fault" });
      return;
    }
    if (problem.code === "claim-lost") {
      entry.claim = { by: problem.body.claimed_by, expires_at: problem.body.expires_at };
    }
    entry.stays = problem.code === "conflict";
    entry.fault = faultOf(problem, { entry, before, order, desk: this.desk });
    this.desk.queue.putBack(entry, taken?.at ?? 0);
    this.desk.count([entry], 1);
    if (!this.desk.focused || this.desk.focusedId === id) {
      this.desk.focus(id);
      this.desk.pause();
    } else {
      this.desk.drawList();
      this.desk.drawPlace();
    }
    const show = { action: say("fault.show"), act: () => (this.desk.queue?.find(id) ? this.desk.focus(id) : this.app.go(`/console/comments/${id}`)) };
    this.app.toast(say("fault.toast", { name: authorName(entry.comment) }), { kind: "fault", ...show });
  }

  /** Take an entry off the list, as somebody else has decided it and that may stand. */
  leave(entry) {
    const at = this.desk.queue.take(entry.id);
    this.desk.goOn(at, say("done.left"), { hasUndo: false });
  }
}

/** Return a comment as this entry may show it: under audit without what the service and others said. */
function asSeen(entry, comment) {
  return entry.task?.kind === "audit" ? { ...comment, ...BLIND } : comment;
}
