// Words, numbers and times in the moderator's language.

export const language = document.documentElement.lang === "en" ? "en" : "ar";

const LOCALE = { ar: "ar-u-nu-arab-ca-gregory", en: "en-GB" }[language];
const [FIRST_STRONG_ISOLATE, POP_ISOLATE] = ["\u2068", "\u2069"];
const words = JSON.parse(document.querySelector('meta[name="words"]').content);
const plurals = new Intl.PluralRules(LOCALE);
const numbers = new Intl.NumberFormat(LOCALE);
const percents = new Intl.NumberFormat(LOCALE, { style: "percent", maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });
const moments = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(LOCALE, { timeStyle: "short" });
const languages = new Intl.DisplayNames([LOCALE], { type: "language", fallback: "code" });
const UNITS = [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** Return the words under `key`; where they have plural forms, the one for `values.count`. */
function form(key, values) {
  const found = words[key];
  return typeof found === "object" ? (found[plurals.select(values.count)] ?? found.other) : (found ?? key);
}

/** Tell whether there are words under `key`. */
export function isKnown(key) {
  return key in words;
}

/** Return the words under `key` as a string. Names keep their own direction; numbers are written as the language writes them. */
export function say(key, values = {}) {
  return form(key, values).replace(/\{(\w+)\}/gu, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? number(value) : `${FIRST_STRONG_ISOLATE}${value}${POP_ISOLATE}`;
  });
}

/** Return the words under `key` as a list of strings and nodes, for values that are nodes. */
export function sayWith(key, values) {
  return form(key, values)
    .split(/(\{\w+\})/u)
    .map((piece) => (piece.startsWith("{") ? values[piece.slice(1, -1)] : piece))
    .map((piece) => (typeof piece === "number" ? number(piece) : piece));
}

/** What a comment's author is called. */
export function authorName(comment) {
  return comment.author.name || say("comment.nameless");
}

/** When a comment was written, as far as its site said so. */
export function writtenAt(comment) {
  return comment.created_at ?? comment.received_at;
}

export function number(value) {
  return numbers.format(value);
}

export function percent(share) {
  return percents.format(share);
}

/** "5 minutes ago". */
export function age(time, now = Date.now()) {
  const seconds = Math.round((Date.parse(time) - now) / 1000);
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return unit === "second" ? say("time.now") : relative.format(Math.trunc(seconds / length), unit);
}

/** Date and time of day. */
export function moment(time) {
  return moments.format(new Date(time));
}

/** Time of day. */
export function timeOfDay(time) {
  return clock.format(new Date(time));
}

/** What a language is called; its code where it has no name here. */
export function languageName(code) {
  try {
    return languages.of(code) ?? code;
  } catch {
    return code;
  }
}
