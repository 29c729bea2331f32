// What is around a comment: the one it answers, why it was escalated, its earlier texts, its author's record. Read only once somebody
// stays with a comment, so that quick decisions cost no requests.

import { call, ifOffered } from "./api.js";
import { authorPanel, recordWords } from "./author.js";
import { h, isolated } from "./dom.js";
import { directionOf, shortened } from "./passages.js";
import { age, authorName, moment, say, sayWith } from "./words.js";

const REMEMBERED = 100;
const MOST_OF_PARENT = 400;

export class Surroundings {
  constructor(app) {
    this.app = app;
    this.known = new Map();
  }

  /** Fill the places of an article that are there for this entry. What cannot be read is left out. */
  async fill(article, entry) {
    if (!entry) {
      return;
    }
    const { comment, task } = entry;
    const isBlind = comment.state === null;
    await Promise.allSettled([
      comment.parent_id ? this.fillSlot(article, "parent", () => this.parent(comment.parent_id)) : null,
      task?.kind === "escalated" ? this.fillSlot(article, "escalation", () => this.escalation(comment)) : null,
      // An audit is judged without knowing how the author fared: their comments' states would tell of this one's, too.
      isBlind ? null : this.fillSlot(article, "record", () => this.record(comment)),
    ]);
  }

  async fillSlot(article, name, read) {
    const slot = article.querySelector(`[data-slot="${name}"]`);
    const content = slot && (await read());
    if (content && slot.isConnected) {
      slot.replaceChildren(content);
    }
  }

  /** Read something once. */
  async once(path) {
    if (!this.known.has(path)) {
      this.known.set(path, await ifOffered(() => call("GET", path)));
      if (this.known.size > REMEMBERED) {
        this.known.delete(this.known.keys().next().value);
      }
    }
    return this.known.get(path);
  }

  /** Read authors again: something else is said of one, who may have written more than one comment. */
  forgetAuthors() {
    [...this.known.keys()].filter((path) => path.endsWith("/author")).forEach((path) => this.known.delete(path));
  }

  async parent(id) {
    const parent = await this.once(`/v1/comments/${id}`);
    return h(
      "blockquote",
      { class: "parent" },
      h("p", { class: "quiet" }, parent ? sayWith("comment.answers", { who: isolated(authorName(parent)) }) : say("comment.parent_gone")),
      parent ? h("div", { class: "quoted", dir: directionOf(parent.text) }, shortened(parent.text, MOST_OF_PARENT)) : null,
    );
  }

  async escalation(comment) {
    const history = await ifOffered(() => call("GET", `/v1/comments/${comment.id}/history`));
    const last = history?.escalations.at(-1);
    return last ? h("p", {}, sayWith("escalated.by", { who: this.app.nameOf(last.moderator, comment.site), when: age(last.escalated_at) }),
      last.note ? [" ", h("q", { dir: "auto" }, last.note)] : null) : null;
  }

  async record(comment) {
    const view = await this.once(authorPath(comment));
    return view ? h("button", { type: "button", class: "chip", "data-do": "author" }, recordWords(view)) : null;
  }

  /** Show who wrote a comment under it, or take that away again. */
  async showAuthor(article, entry) {
    const slot = entry && entry.task?.kind !== "audit" && article.querySelector('[data-slot="who"]');
    if (!slot || slot.firstChild) {
      slot?.replaceChildren?.();
      return;
    }
    const { comment } = entry;
    const view = await this.once(authorPath(comment));
    const changed = () => {
      slot.replaceChildren();
      this.app.guard(Promise.all([this.fillSlot(article, "record", () => this.record(comment)), this.showAuthor(article, entry)]));
    };
    if (view) {
      slot.replaceChildren(authorPanel(view, comment, { app: this.app, changed }));
      slot.scrollIntoView({ block: "nearest" }); // under a long comment it would be out of sight, as if nothing had happened
    }
  }

  /** Show the earlier texts of a comment under it. */
  async showRevisions(article, entry) {
    const slot = entry && article.querySelector('[data-slot="more"]');
    if (!slot || slot.firstChild) {
      slot?.replaceChildren();
      return;
    }
    const history = await ifOffered(() => call("GET", `/v1/comments/${entry.comment.id}/history`));
    slot.replaceChildren(revisionList(history?.revisions ?? []));
    slot.scrollIntoView({ block: "nearest" });
  }
}

/** Earlier texts, the newest first. */
export function revisionList(revisions) {
  return h(
    "section",
    { class: "revisions" },
    h("h3", {}, say("comment.revisions")),
    h("ol", {}, revisions.toReversed().map((one) =>
      h("li", {}, h("p", { class: "quiet" }, say("comment.until", { time: moment(one.replaced_at) })), h("div", { class: "quoted", dir: directionOf(one.text) }, one.text)))),
  );
}

function authorPath(comment) {
  return `/v1/comments/${comment.id}/author`;
}
