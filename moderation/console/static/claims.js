// What this moderator has reserved: renewed while they read, given back when they leave.

import { call, Problem } from "./api.js";

const RENEW_WITHIN_MS = 180_000;
export const AHEAD = 5;

/** Whether a colleague has a comment now: our own claims alone have an id. */
export function isOthers(claim) {
  return Boolean(claim) && !claim.id && Date.parse(claim.expires_at) > Date.now();
}

export class Claims {
  constructor(lost) {
    this.lost = lost;
    this.held = new Map();
    addEventListener("pagehide", () => this.releaseAll());
  }

  /** Remember the claims of entries that the service gave us. */
  note(entries) {
    for (const entry of entries) {
      if (entry.claim?.id) {
        this.held.set(entry.comment.id, { id: entry.claim.id, expiresAt: Date.parse(entry.claim.expires_at) });
      }
    }
  }

  /** How many are held now. */
  get count() {
    return [...this.held.values()].filter((claim) => claim.expiresAt > Date.now()).length;
  }

  has(commentId) {
    return (this.held.get(commentId)?.expiresAt ?? 0) > Date.now();
  }

  /** Forget a claim that a decision ended. */
  forget(commentId) {
    this.held.delete(commentId);
  }

  /** Let others have a comment. */
  async release(commentId) {
    const claim = this.held.get(commentId);
    this.held.delete(commentId);
    if (claim) {
      await call("DELETE", `/v1/claims/${claim.id}`).catch(() => {}); // it ends by itself within minutes
    }
  }

  releaseAll() {
    [...this.held.keys()].forEach((id) => this.release(id));
  }

  /** Renew what ends within three minutes. A claim that is gone is told to `lost`. */
  async renewDue() {
    const due = [...this.held].filter(([, claim]) => claim.expiresAt - Date.now() < RENEW_WITHIN_MS);
    await Promise.all(due.map(([commentId, claim]) => this.renew(commentId, claim)));
  }

  async renew(commentId, claim) {
    try {
      const renewed = await call("PUT", `/v1/claims/${claim.id}`);
      claim.expiresAt = Date.parse(renewed.expires_at);
    } catch (problem) {
      if (problem instanceof Problem && !problem.isPassing && problem.status !== 401) {
        this.held.delete(commentId);
        this.lost(commentId);
      }
    }
  }
}
