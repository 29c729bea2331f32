// What waits, in the service's order, as far as this page knows. No element is touched here.

import { call, withQuery } from "./api.js";
import { AHEAD, isOthers } from "./claims.js";

const PAGE = 50;
const MOST_CLAIMED = 20;
const MOST_HELD = 2 * AHEAD;
const MOST_REMEMBERED = 2_000;
const UNTIL_LOOKED_MS = 30_000; // somewhat longer than from one look to the next

/**
 * The open tasks of one selection. An entry is what the API gives (`comment`, `task`, `claim`) and, beside it: `id`, `fault` (why a
 * decision did not go through), `isSkipped`, `isClosed` (somebody else decided it).
 */
export class Queue {
  constructor(selection, claims) {
    Object.assign(this, { selection, claims });
    this.entries = [];
    this.next = undefined;
    this.isEmptyOfFree = false;
    this.decided = new Map();
    this.waitingToJoin = [];
  }

  get isWhole() {
    return this.next === null;
  }

  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  /** Entries that somebody could decide here and now. */
  isFree(entry) {
    return !isOthers(entry.claim) && !entry.isClosed && !entry.isSkipped;
  }

  async start() {
    const [page] = await Promise.all([this.page(null), this.claimAhead()]);
    this.add(page.items);
    this.next = page.next;
    this.sort(page.items);
  }

  page(cursor) {
    return call("GET", withQuery("/v1/queue", { ...this.selection, limit: PAGE, cursor }));
  }

  /** Read on. With a filter a page may be empty and still have a next one: some pages are read at most. */
  async more() {
    for (let pages = 0; pages < 4 && this.next && !this.isReading; pages += 1) {
      this.isReading = true;
      try {
        const page = await this.page(this.next);
        this.next = page.next;
        if (this.add(page.items) > 0) {
          return;
        }
      } finally {
        this.isReading = false;
      }
    }
  }

  /** Reserve a few more, unless nothing was free a moment ago, or much is held already. What was skipped is given back. */
  async claimAhead() {
    if (this.isClaiming || this.isEmptyOfFree || this.claims.count >= MOST_HELD) {
      return;
    }
    this.isClaiming = true;
    try {
      const skipped = this.entries.filter((entry) => entry.isSkipped).length;
      const limit = Math.min(AHEAD + skipped, MOST_CLAIMED);
      const { items } = await call("POST", "/v1/queue/claim", { ...set(this.selection), limit });
      this.claims.note(items);
      this.isEmptyOfFree = items.length < limit;
      this.add(items);
      this.passOver(items);
      this.entries.filter((entry) => entry.isSkipped).forEach((entry) => this.release(entry));
    } finally {
      this.isClaiming = false;
    }
  }

  /**
   * The service gives the first that are free: what stands before the last of them, and is not one's own, is with a colleague. Whose it
   * is shows at the next look; until then it is not offered, or two who work at once would meet at every fifth comment.
   */
  passOver(items) {
    const given = new Set(items.map((item) => item.comment.id));
    const last = this.entries.findLastIndex((entry) => given.has(entry.id));
    const claim = { by: null, expires_at: new Date(Date.now() + UNTIL_LOOKED_MS).toISOString() };
    this.entries
      .slice(0, Math.max(last, 0))
      .filter((entry) => this.isFree(entry) && !entry.claim?.id && !this.claims.has(entry.id) && !entry.isUnsettled && !entry.fault)
      .forEach((entry) => Object.assign(entry, { claim }));
  }

  /** Let others have an entry. */
  release(entry) {
    entry.claim = undefined;
    return this.claims.release(entry.id);
  }

  /** Take entries in: new ones at the end, known ones renewed. Returns how many are new. */
  add(items) {
    let added = 0;
    for (const item of items.filter((one) => !this.isDecided(one))) {
      const known = this.find(item.comment.id);
      if (known) {
        this.renew(known, item);
      } else {
        this.entries.push({ ...item, id: item.comment.id });
        added += 1;
      }
    }
    return added;
  }

  renew(known, item) {
    const mine = known.claim?.id && this.claims.has(known.id) ? known.claim : undefined;
    Object.assign(known, item, { claim: item.claim ?? mine, isClosed: false });
  }

  /** Put the entries of the first page before the others, in its order. */
  sort(items) {
    const places = new Map(items.map((item, at) => [item.comment.id, at]));
    this.entries.sort((a, b) => (places.get(a.id) ?? Infinity) - (places.get(b.id) ?? Infinity) || 0);
  }

  /**
   * Look again at the beginning of the queue. What others decided is marked as closed, what is new joins the end; in orders other than
   * by age new ones may belong before what is being read, and wait in `waitingToJoin` until they are asked for.
   */
  async refresh(focusedId) {
    const page = await this.page(null);
    const present = new Set(page.items.map((item) => item.comment.id));
    const last = this.entries.findLastIndex((entry) => present.has(entry.id));
    const until = page.next === null ? this.entries.length : Math.max(last, 0);
    this.entries.slice(0, until).filter((entry) => !present.has(entry.id) && !entry.stays && !entry.isUnsettled && !this.claims.has(entry.id)).forEach((entry) => {
      entry.isClosed = true;
    });
    this.entries = this.entries.filter((entry) => !entry.isClosed || entry.id === focusedId);
    this.isEmptyOfFree = false;
    this.join(page);
    return page;
  }

  join(page) {
    const known = page.items.filter((item) => this.find(item.comment.id));
    const fresh = page.items.filter((item) => !this.find(item.comment.id) && !this.isDecided(item));
    this.add(known);
    if (this.selection.order === "oldest" || this.entries.length === 0) {
      this.add(page.next === null || this.entries.length < PAGE ? fresh : []);
      this.next ??= page.next;
    } else {
      this.waitingToJoin = fresh;
    }
  }

  /** Let in what came meanwhile, at its place. */
  letIn() {
    const items = this.waitingToJoin;
    this.waitingToJoin = [];
    this.add(items);
    const ids = new Set(items.map((item) => item.comment.id));
    this.entries = [...this.entries.filter((entry) => ids.has(entry.id)), ...this.entries.filter((entry) => !ids.has(entry.id))];
  }

  /** Take an entry out because it is being decided. Returns its place. */
  take(id) {
    const at = this.entries.findIndex((entry) => entry.id === id);
    this.entries.splice(at, at < 0 ? 0 : 1).forEach((entry) => {
      entry.claim = undefined; // a decision ends it
    });
    this.claims.forget(id);
    this.decided.set(id, Infinity);
    if (this.decided.size > MOST_REMEMBERED) {
      this.decided.delete(this.decided.keys().next().value);
    }
    return at;
  }

  /** Remember how far a decision went, so that an older answer of the service does not bring the comment back. */
  confirm(id, sequence) {
    this.decided.set(id, sequence);
  }

  /** Put an entry back where it stood. */
  putBack(entry, at) {
    this.decided.delete(entry.id);
    if (!this.find(entry.id)) {
      this.entries.splice(Math.min(Math.max(at, 0), this.entries.length), 0, entry);
    }
  }

  isDecided(item) {
    return item.comment.sequence <= (this.decided.get(item.comment.id) ?? -1);
  }
}

function set(parameters) {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value));
}
