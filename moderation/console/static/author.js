// Who wrote a comment: what people decided about them, what is said of them, and what else they wrote on this site.

import { call, whyOf, withQuery } from "./api.js";
import { askNote } from "./dialogs.js";
import { button, flat, h } from "./dom.js";
import { resultRow } from "./found.js";
import { authorName, say } from "./words.js";

const MOST_SHOWN = 8;

/** What is said of an author as a whole: the strictest of what stands at anything they are known by. */
function standingOf(view) {
  const said = Object.values(view.standings);
  return ["blocked", "trusted"].find((standing) => said.includes(standing)) ?? "none";
}

/** The record in a few words: "3 approved, 1 rejected", and whether they are blocked or trusted. */
export function recordWords(view) {
  const standing = standingOf(view);
  const said = standing === "none" ? [] : [say(`standing.${standing}`)];
  const counted = Object.entries(view.by_people).filter(([, count]) => count > 0).map(([what, count]) => say(`author.${what}`, { count })); // an Arabic zero looks like a dot
  return [...said, ...(counted.length ? counted : [say("author.fresh")])].join(" · ");
}

/** The whole panel. `changed` is called once a lead has said something else of the author. */
export function authorPanel(view, comment, { app, changed }) {
  const others = view.comments.filter((one) => one.id !== comment.id).slice(0, MOST_SHOWN);
  const isLead = app.isLead(comment.site);
  return h(
    "section",
    { class: "author-panel" },
    h("h2", {}, say("author.title", { name: authorName(comment) })),
    h("p", { class: "quiet" }, recordWords(view)),
    isLead ? h("div", { class: "row" }, standingButtons(view, comment, { app, changed })) : null,
    others.length ? h("ol", { class: "results" }, others.map(resultRow)) : h("p", { class: "quiet" }, say("author.nothing")),
    others.length ? h("p", {}, h("a", { href: withQuery("/console/search", { author: comment.id, site: comment.site }) }, say("author.all"))) : null,
  );
}

function standingButtons(view, comment, { app, changed }) {
  const make = (standing, key) => button(say(key), { on: { click: () => settle(standing, view, comment, { app, changed }) } });
  const now = standingOf(view);
  return flat([
    now === "blocked" ? make("none", "author.unblock") : make("blocked", "author.block"),
    now === "trusted" ? make("none", "author.untrust") : null,
    now === "none" ? make("trusted", "author.trust") : null,
  ]);
}

async function settle(standing, view, comment, { app, changed }) {
  const note = standing === "none" ? "" : await askNote(say(`author.${standing}_title`), say("author.note"), say("author.settle"));
  if (typeof note !== "string") {
    return;
  }
  const kinds = Object.keys(view.standings).filter((by) => view.standings[by] !== "none");
  try {
    for (const by of standing === "none" ? kinds : [undefined]) {
      await call("POST", `/v1/comments/${comment.id}/author`, { standing, by, note: note || undefined });
    }
    app.toast(say(`author.done_${standing}`));
    app.surroundings.forgetAuthors();
    changed();
  } catch (problem) {
    app.toast(whyOf(problem), { kind: "fault" });
  }
}
