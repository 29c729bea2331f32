// A comment in a list of found ones.

import { h, isolated } from "./dom.js";
import { directionOf, shortened } from "./passages.js";
import { age, authorName, say, writtenAt } from "./words.js";

const EXCERPT = 200;

export function resultRow(comment) {
  const time = writtenAt(comment);
  const state = comment.state ? h("span", { class: `tag is-${comment.state}` }, say(`state.${comment.state}`)) : null;
  return h("li", {}, h("a", { class: "result", href: `/console/comments/${comment.id}` },
    h("span", { class: "row-head" }, isolated(authorName(comment), { class: "row-name" }), h("time", { datetime: time }, age(time))),
    h("span", { class: "row-text", dir: directionOf(comment.text) }, shortened(comment.text, EXCERPT)),
    h("span", { class: "row-tags" }, state)));
}
