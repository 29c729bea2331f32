// Decisions on their way: sent in the background, in order for each comment, tried again while that may help, lost never.
//
// What is unsent is kept in this tab's session storage: ids, codes and the moderator's own notes, never what a reader wrote. So a
// sign-in in between, or a reload, loses nothing. The service recognises the same decision sent twice, and the same undo of the decision
// that it names: whatever got no answer may be sent again.

import { call } from "./api.js";

const AT_ONCE = 3;
const ATTEMPTS = 8;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const MOST_UNSENT = 50;

/**
 * One order is `{id, ids, method, path, body, …}`: `ids` are the comments that it concerns, the rest is the caller's own. `settled`
 * gets an order and its answer, `refused` an order and its `Problem`, `changed` nothing: the state of some order changed.
 */
export class Outbox {
  constructor({ key, settled, refused, changed }) {
    Object.assign(this, { key, settled, refused, changed });
    this.orders = [];
    this.isHalted = false;
    addEventListener("online", () => this.hurry());
  }

  /** Take up what an earlier page of this tab left unsent; `pump` sends it. Returns how many orders those are. */
  restore() {
    const all = readKept(this.key);
    const kept = all.filter((order) => isNamed(order) || all.some((one) => one.id === order.of));
    this.orders.push(...kept.map((order) => ({ ...order, state: "waiting", attempts: 0, dueAt: 0 })));
    return kept.length;
  }

  get isFull() {
    return this.orders.length >= MOST_UNSENT;
  }

  /** Orders that wait for the service to come back, or were given up. */
  get troubled() {
    return this.orders.filter((order) => order.attempts > 0 && order.state !== "sending");
  }

  get givenUp() {
    return this.orders.filter((order) => order.state === "stuck");
  }

  add(order) {
    this.orders.push({ ...order, state: "waiting", attempts: 0, dueAt: 0, wasSent: false });
    this.keep();
    this.pump();
  }

  /** Take back an order that never left. Returns whether that was so: one without an answer may have been carried out. */
  cancel(id) {
    const order = this.orders.find((one) => one.id === id && !one.wasSent);
    if (order) {
      this.drop(order);
    }
    return order !== undefined;
  }

  /** Tell the orders that wait to undo a decision which one it was; they are not sent before that is known. */
  name(decisionId, commentId, sequence) {
    this.orders.filter((order) => order.of === decisionId && order.ids[0] === commentId).forEach((order) => {
      order.body.sequence = sequence;
    });
    this.keep();
  }

  /** Try everything again now. */
  hurry() {
    this.isHalted = false;
    for (const order of this.orders) {
      if (order.state !== "sending") {
        Object.assign(order, { state: "waiting", attempts: 0, dueAt: 0 });
      }
    }
    this.pump();
  }

  /** Send nothing more; what is unsent stays kept. */
  halt() {
    this.isHalted = true;
    clearTimeout(this.timer);
  }

  pump() {
    clearTimeout(this.timer);
    if (this.isHalted) {
      return;
    }
    const busy = new Set();
    let sending = 0;
    for (const order of this.orders) {
      const isFree = !order.ids.some((id) => busy.has(id));
      order.ids.forEach((id) => busy.add(id));
      sending += order.state === "sending" ? 1 : 0;
      if (isFree && sending < AT_ONCE && order.state === "waiting" && order.dueAt <= Date.now() && isNamed(order)) {
        sending += 1;
        this.send(order);
      }
    }
    this.wakeLater();
  }

  wakeLater() {
    const due = this.orders.filter((order) => order.state === "waiting" && order.dueAt > Date.now()).map((order) => order.dueAt);
    if (due.length) {
      this.timer = setTimeout(() => this.pump(), Math.min(...due) - Date.now() + 10);
    }
  }

  async send(order) {
    Object.assign(order, { state: "sending", wasSent: true });
    this.keep();
    try {
      await this.deliver(order);
    } finally {
      this.changed();
      this.pump();
    }
  }

  /** Send it and say what became of it. What fails while that is shown is no refusal: the order was carried out. */
  async deliver(order) {
    let answer;
    try {
      answer = await call(order.method, order.path, order.body);
    } catch (problem) {
      this.putBack(order, problem);
      return;
    }
    this.drop(order);
    this.settled(order, answer);
  }

  putBack(order, problem) {
    order.state = "waiting";
    if (problem.status === 401) {
      this.halt();
    } else if (problem.isPassing) {
      order.attempts += 1;
      const wait = Math.min(FIRST_WAIT_MS * 2 ** (order.attempts - 1), LONGEST_WAIT_MS) * (0.8 + 0.4 * Math.random());
      order.dueAt = Date.now() + Math.max(wait, (problem.retryAfterS ?? 0) * 1_000);
      order.state = order.attempts >= ATTEMPTS ? "stuck" : "waiting";
    } else {
      this.drop(order);
      this.refused(order, problem);
    }
  }

  drop(order) {
    this.orders = this.orders.filter((one) => one !== order);
    this.keep();
  }

  keep() {
    try {
      sessionStorage.setItem(this.key, JSON.stringify(this.orders));
    } catch {
      // Storage is full or forbidden: the orders are sent all the same, and leaving the page asks first.
    }
    this.changed();
  }
}

/** Whether an undo says which decision it means; others always do. */
function isNamed(order) {
  return order.of === undefined || order.body.sequence !== undefined;
}

function readKept(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? [];
  } catch {
    return [];
  }
}
