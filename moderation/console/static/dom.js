// Elements without HTML: whatever readers wrote reaches the page as text alone.

const PROPERTIES = new Set(["checked", "disabled", "hidden", "open", "selected", "tabIndex", "value"]);

/**
 * Make an element. `attributes` are attributes, but for `on` (listeners by event) and the few properties above; null and
 * undefined are left out. Children are nodes, strings and lists of them; null and false are left out.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      Object.entries(value).forEach(([event, listener]) => element.addEventListener(event, listener));
    } else if (PROPERTIES.has(name)) {
      element[name] = value;
    } else if (value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...flat(children));
  return element;
}

/** Return children as `append` takes them. */
export function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** A name, a title or another piece of unknown direction. */
export function isolated(text, attributes = {}) {
  return h("bdi", attributes, text);
}

/** A link to another site: opened beside this page, which it learns nothing of. Only the text where the address is unfit. */
export function outerLink(url, ...children) {
  const address = webAddress(url);
  if (address === null) {
    return h("span", {}, ...children);
  }
  return h("a", { href: address.href, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, ...children);
}

/** Return the parsed address, or null where it is none of the web: `javascript:` and its kin are never followed. */
export function webAddress(url) {
  const address = URL.canParse(url ?? "") ? new URL(url) : null;
  return address !== null && ["http:", "https:"].includes(address.protocol) ? address : null;
}

/** A button; `keys` are shown beside the label and told to assistive technology. */
export function button(label, { keys, ...attributes } = {}) {
  const hint = keys ? h("kbd", { "aria-hidden": "true" }, keys) : null;
  return h("button", { type: "button", "aria-keyshortcuts": keys ?? null, ...attributes }, h("span", {}, label), hint);
}

/** Give an element the focus, but not while a dialog or the menu is open: what arrives late closes nothing. */
export function focusUnlessBusy(element) {
  if (!document.querySelector("dialog[open], .account[open]")) {
    element.focus({ preventScroll: true });
  }
}
