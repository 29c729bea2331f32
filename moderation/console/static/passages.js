// Where evidence lies in a text. Offsets are Unicode code points; JavaScript counts UTF-16 units, two of them for an emoji.

/**
 * Cut a text at the borders of its evidence.
 *
 * @param {string} text
 * @param {{start: number, end: number}[]} evidence code points, end exclusive; may overlap; what lies outside is clipped
 * @returns {{text: string, evidence: object[]}[]} pieces in order, each with the evidence that covers it; together the text
 */
export function passages(text, evidence) {
  const points = Array.from(text);
  const within = (offset) => Math.min(Math.max(offset, 0), points.length);
  const marks = evidence.filter((one) => within(one.end) > within(one.start));
  const borders = new Set([0, points.length, ...marks.flatMap((one) => [within(one.start), within(one.end)])]);
  const cuts = [...borders].sort((a, b) => a - b);
  return cuts.slice(1).map((end, at) => ({
    text: points.slice(cuts[at], end).join(""),
    evidence: marks.filter((one) => one.start < end && one.end > cuts[at]),
  }));
}

/** Return the piece of a text between two code points. */
export function excerpt(text, start, end) {
  return Array.from(text).slice(Math.max(start, 0), end).join("");
}

/** Return the first `length` code points of a text on one line, with a sign that there is more. */
export function shortened(text, length) {
  const points = Array.from((text ?? "").slice(0, length * 4).replace(/\s+/gu, " ").trim());
  return points.length > length || (text ?? "").length > length * 4 ? `${points.slice(0, length).join("")}…` : points.join("");
}

const NAMES_AND_LINKS = /https?:\/\/\S+|[@#][\w.]+/gu;
const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}]/gu;
const RTL_SHARE = 0.3;

/**
 * Return the direction in which a text is read: `rtl`, `ltr`, or null for signs alone, which stand as the page does. The browser goes by
 * the first letter, and so turns an Arabic comment around that begins with a Latin name, a link or a word of English.
 */
export function directionOf(text) {
  const words = (text ?? "").replace(NAMES_AND_LINKS, "");
  const letters = words.match(/\p{L}/gu)?.length ?? 0;
  if (letters === 0) {
    return /\p{L}/u.test(text ?? "") ? "ltr" : null;
  }
  return (words.match(RIGHT_TO_LEFT)?.length ?? 0) >= letters * RTL_SHARE ? "rtl" : "ltr";
}
