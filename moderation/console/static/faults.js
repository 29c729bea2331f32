// A decision that did not go through, told on the comment itself: what happened, and what can be done about it.

import { whyOf } from "./api.js";
import { button, h } from "./dom.js";
import { directionOf } from "./passages.js";
import { notice } from "./reading.js";
import { reasonName } from "./reasons.js";
import { moment, say, sayWith, timeOfDay } from "./words.js";

/** Return the notice for a refusal. `before` is the comment as it was read. */
export function faultOf(problem, { entry, before, order, desk }) {
  const moderatorOf = (id) => desk.app.nameOf(id, entry.comment.site);
  if (problem.code === "stale-revision") {
    return stale(entry, before);
  }
  if (problem.code === "claim-lost") {
    const who = { who: moderatorOf(problem.body.claimed_by), until: timeOfDay(problem.body.expires_at) };
    return notice("fault", h("p", {}, sayWith("fault.claimed", who)));
  }
  if (problem.code === "conflict" && problem.body.verdict) { // none where it is audited again meanwhile
    const wish = order.body;
    const replace = () => {
      entry.fault = undefined;
      desk.decisions.decide(wish.verdict, { reason: wish.reason, note: wish.note, sequence: problem.body.sequence, entry });
    };
    return conflictNotice(problem.body, wish, { moderatorOf, replace, leave: () => desk.decisions.leave(entry) });
  }
  return notice("fault", h("p", {}, whyOf(problem)));
}

/** The author edited the comment since it was read; `before` is what was read. */
export function stale(entry, before) {
  const isChanged = before && before.text !== entry.comment.text;
  return notice(
    "fault",
    h("p", {}, say("fault.stale")),
    isChanged ? h("details", {}, h("summary", {}, say("fault.before")), h("div", { class: "quoted", dir: directionOf(before.text) }, before.text)) : null,
  );
}

/** A colleague decided it; `wish` is what was refused for that, and can `replace` theirs. Where it can `leave` the list, that is offered, too. */
export function conflictNotice(body, wish, { moderatorOf, replace, leave }) {
  const facts = { who: moderatorOf(body.moderator), what: say(`verdict.${body.verdict}`), when: moment(body.decided_at) };
  const label = wish.reason ? say("fault.replace_reject", { reason: reasonName(wish.reason) }) : say(`fault.replace_${wish.verdict}`);
  return notice(
    "fault",
    h("p", {}, sayWith("fault.conflict", facts)),
    h("div", { class: "row" }, button(label, { class: "primary", on: { click: replace } }),
      leave ? button(say("fault.leave"), { on: { click: leave } }) : null),
  );
}
