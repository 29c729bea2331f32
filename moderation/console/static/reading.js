// One comment as a moderator reads it.

import { isOthers } from "./claims.js";
import { flat, h, isolated, outerLink, webAddress } from "./dom.js";
import { directionOf, excerpt, passages } from "./passages.js";
import { scoreRows, spokenScores } from "./reasons.js";
import { age, authorName, languageName, moment, percent, say, sayWith, timeOfDay, writtenAt } from "./words.js";

const MOST_EVIDENCE = 8;
const SHORT = 30;
const MOST_OF_TEXT = 0.6;
const TURNED = /[\u202D\u202E]/u; // overrides: what is seen is in another order than what was written

/** The whole comment: where it stands, who wrote it, what it answers, its text, and what the service says of it. */
export function reading(entry, { showFigures, moderatorOf }) {
  const { comment, task } = entry;
  const isBlind = comment.state === null; // of an open audit: the service says nothing of it
  return flat([
    articleLine(comment, task),
    authorLine(comment),
    comment.parent_id ? h("div", { class: "parent-place", "data-slot": "parent" }) : null,
    notices(entry, moderatorOf),
    commentText(comment),
    h("span", { class: "text-end" }),
    isBlind ? null : verdictPart(comment, showFigures),
    h("div", { class: "slot", "data-slot": "more" }),
    h("div", { class: "slot", "data-slot": "who" }),
  ]);
}

function articleLine({ thread, parent_id: parent }, task) {
  const title = thread.title || thread.id;
  return h(
    "p",
    { class: "article-line" },
    h("span", { class: "label" }, say(parent ? "comment.reply_on" : "comment.on")),
    " ",
    outerLink(thread.url, isolated(title)),
    task ? [" ", h("button", { type: "button", class: "chip", "data-do": "thread" }, say("comment.thread"))] : null,
  );
}

/** Who wrote, when, and in which language. */
function authorLine(comment) {
  const time = writtenAt(comment);
  return h(
    "p",
    { class: "author-line" },
    h("strong", {}, isolated(authorName(comment))),
    authorSite(comment.author.url),
    h("time", { datetime: time, title: moment(time) }, age(time)),
    comment.language ? h("span", { class: "quiet" }, languageName(comment.language)) : null,
    comment.revision > 1
      ? h("button", { type: "button", class: "chip edited", "data-do": "revisions" }, say("comment.edited", { count: comment.revision - 1 }))
      : null,
    h("span", { class: "record", "data-slot": "record" }),
  );
}

function authorSite(url) {
  if (!url) {
    return null;
  }
  const address = webAddress(url);
  return address ? outerLink(url, h("bdi", { dir: "ltr" }, address.host)) : h("bdi", { class: "quiet refused" }, url);
}

/** The text, with evidence marked. */
function commentText(comment) {
  const evidence = evidenceOf(comment).filter((one) => !one.isWhole);
  const pieces = comment.text
    ? passages(comment.text, evidence).map((piece) => (piece.evidence.length ? marked(piece) : closedUp(piece.text)))
    : h("em", { class: "quiet" }, say("comment.emptied"));
  const direction = directionOf(comment.text);
  const size = direction === null && comment.text.length < 60 ? " is-signs" : "";
  return h("div", { class: `comment-text${size}`, id: "comment-text", dir: direction, lang: comment.language }, pieces);
}

/** Without the empty lines by which a comment pushes what it says out of sight. */
function closedUp(text) {
  return text.replace(/\n\s*\n\s*\n/gu, "\n\n");
}

function marked(piece) {
  const strongest = Math.max(...piece.evidence.map((one) => one.weight));
  const title = [...new Set(piece.evidence.map((one) => one.message))].join(" · ");
  return h("mark", { class: strongest >= 1 ? "strong" : "weak", title }, piece.text);
}

function notices(entry, moderatorOf) {
  const { comment, task, claim } = entry;
  return [
    comment.state === null ? notice("info", say("audit.notice")) : null,
    task?.kind === "escalated" ? notice("info", say("escalated.notice"), h("div", { class: "slot", "data-slot": "escalation" })) : null,
    TURNED.test(`${comment.text ?? ""}${comment.author?.name ?? ""}`) ? notice("wait", say("text.turned")) : null,
    isOthers(claim) && !entry.fault ? notice("wait", claim.by ? sayWith("claim.others", { who: moderatorOf(claim.by), until: timeOfDay(claim.expires_at) }) : say("claim.somebody")) : null,
    entry.isClosed ? notice("wait", say("queue.closed")) : null,
    comment.state === "approved" ? notice("info", say("state.approved_notice")) : null,
    entry.fault ?? null,
  ];
}

export function notice(kind, ...children) {
  return h("div", { class: `notice ${kind}` }, ...children);
}

function verdictPart(comment, showFigures) {
  const spoken = spokenScores(comment.scores);
  return h(
    "section",
    { class: "verdict", "aria-label": say("verdict.title") },
    h("ul", { class: "reasons" }, comment.reasons.map((reason) => h("li", { class: `reason is-${reason.code}` }, reason.message))),
    spoken.length ? h("ul", { class: "scores" }, spoken.map((row) => h("li", { class: `is-${row.level}` }, row.words))) : null,
    evidenceList(comment),
    comment.scores ? figures(comment, showFigures) : null,
  );
}

/** The places of the text that moved the verdict, by what they are; whatever speaks of the whole text comes last. */
function evidenceList(comment) {
  const kinds = new Map();
  for (const one of evidenceOf(comment).sort((a, b) => b.weight - a.weight)) {
    const pieces = kinds.get(one.message) ?? new Set();
    kinds.set(one.message, one.isWhole ? pieces : pieces.add(excerpt(comment.text, one.start, one.end)));
  }
  const lines = [...kinds].sort(([, a], [, b]) => (b.size > 0) - (a.size > 0)).slice(0, MOST_EVIDENCE);
  const line = ([message, pieces]) =>
    h("li", {}, h("span", { class: "quiet" }, message), longest(pieces).slice(0, MOST_EVIDENCE).map((piece) => [" ", h("q", {}, isolated(piece))]));
  return lines.length ? h("ul", { class: "evidence", "aria-label": say("verdict.evidence") }, lines.map(line)) : null;
}

/** Pieces of a text but for those that lie in another one. */
function longest(pieces) {
  const all = [...pieces];
  return all.filter((piece) => !all.some((other) => other !== piece && other.includes(piece)));
}

/** Evidence of every reason, once each. What covers most of a text says nothing of a place in it: `isWhole`. */
function evidenceOf(comment) {
  const length = Array.from(comment.text ?? "").length;
  const isWhole = (one) => length >= SHORT && one.end - one.start > length * MOST_OF_TEXT;
  const found = new Map(comment.reasons.flatMap((reason) => reason.evidence).map((one) => [`${one.rule} ${one.start} ${one.end}`, one]));
  return [...found.values()].map((one) => ({ ...one, isWhole: isWhole(one) }));
}

function figures(comment, isOpen) {
  return h(
    "details",
    { class: "figures", open: isOpen },
    h("summary", {}, say("verdict.figures")),
    h(
      "table",
      {},
      h("tbody", {}, scoreRows(comment.scores).map((row) =>
        h("tr", {}, h("th", { scope: "row" }, say(`score.${row.kind}`)), h("td", {}, meter(row.score)), h("td", { class: "figure" }, row.figure)))),
    ),
    h("p", { class: "quiet" }, sayWith("verdict.model", { model: h("bdi", { dir: "ltr" }, comment.model ?? "—") })),
  );
}

function meter(score) {
  return h("meter", { value: score, min: 0, max: 1, "aria-label": percent(score) });
}
