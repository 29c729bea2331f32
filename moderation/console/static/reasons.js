// Reasons and scores in words.

import { isKnown, percent, say } from "./words.js";

/** The reasons that a person may give, each at its key: 1 to 9, then 0, then without one. */
export const REASONS = [
  "spam",
  "insult",
  "abuse",
  "hate",
  "threat",
  "obscene",
  "off_topic",
  "illegal",
  "duplicate",
  "other",
  "banned_word",
  "flood",
];
export const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"];
const LEVELS = [
  [0.95, "sure"],
  [0.8, "likely"],
  [0.5, "perhaps"],
];
const SPOKEN_FROM = LEVELS.at(-1)[0];
const KINDS = ["spam", "insult", "hate", "threat", "obscene", "abuse"];

/** Return the reason that a rejection of this comment would most likely have, null where nothing was said against it. */
export function likeliestReason(comment) {
  const given = comment.reasons.map((reason) => reason.code).find((code) => REASONS.includes(code));
  return given ?? highest(comment.scores) ?? (comment.reasons.some((one) => one.code === "link_limit") ? "spam" : null);
}

function highest(scores) {
  const found = KINDS.filter((kind) => (scores?.[kind] ?? 0) >= SPOKEN_FROM).sort((a, b) => scores[b] - scores[a]);
  return found[0] ?? null;
}

/** Return what a reason is called. */
export function reasonName(code) {
  return isKnown(`reason.${code}`) ? say(`reason.${code}`) : code;
}

/** Return the scores worth a word, highest first: `{kind, level, words, figure}`. */
export function spokenScores(scores) {
  return scoreRows(scores).filter((row) => row.score >= SPOKEN_FROM).map((row) => {
    const [, level] = LEVELS.find(([from]) => row.score >= from);
    return { ...row, level, words: say(`level.${level}`, { what: say(`score.${row.kind}`) }) };
  });
}

/** Return every score that the model gave, highest first: `{kind, score, figure}`. */
export function scoreRows(scores) {
  return Object.entries(scores ?? {})
    .filter(([kind, score]) => score !== null && isKnown(`score.${kind}`))
    .sort(([, a], [, b]) => b - a)
    .map(([kind, score]) => ({ kind, score, figure: percent(score) }));
}
