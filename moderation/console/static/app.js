// The console: who is here, which page is shown, what is on its way, and what is said aloud.

import { call, ifOffered, onReplaced, onSignedOut, whyOf, withQuery } from "./api.js";
import { CommentPage } from "./comment.js";
import { Desk } from "./desk.js";
import { showHelp } from "./dialogs.js";
import { button, flat, h, isolated } from "./dom.js";
import { areShortcutsOn, commandOf, setShortcuts } from "./keys.js";
import { Outbox } from "./outbox.js";
import { brokenPane } from "./panes.js";
import { SearchPage } from "./search.js";
import { Surroundings } from "./surroundings.js";
import { say } from "./words.js";

const TOAST_MS = 7_000;
const MOST_TOASTS = 3;

class App {
  constructor() {
    this.main = document.getElementById("main");
    this.live = document.getElementById("live");
    this.toasts = document.getElementById("toasts");
    this.status = document.getElementById("status");
    this.names = new Map();
    this.isReached = true;
    this.deskAddress = "/console/";
  }

  async start() {
    onSignedOut(() => this.signIn());
    onReplaced(() => this.begin());
    try {
      this.me = await call("GET", "/v1/me");
    } catch (problem) {
      this.main.replaceChildren(brokenPane(problem, () => location.reload()));
      return;
    }
    this.sites = this.me.sites;
    this.usualSite = this.sites[0]?.name;
    this.outbox = new Outbox({
      key: `console.outbox.${this.me.id}`,
      settled: (order, answer) => this.pageOf(order).settled(order, answer),
      refused: (order, problem) => this.pageOf(order).refused(order, problem),
      changed: () => this.drawStatus(),
    });
    const kept = this.outbox.restore();
    this.surroundings = new Surroundings(this);
    this.pages = { desk: new Desk(this), comment: new CommentPage(this), search: new SearchPage(this) };
    this.listen();
    this.drawSites();
    this.route();
    this.outbox.pump();
    if (kept) {
      this.toast(say("outbox.restored", { count: kept }));
    }
  }

  listen() {
    addEventListener("popstate", () => this.route());
    addEventListener("offline", () => this.reached(false));
    addEventListener("beforeunload", (event) => this.outbox.orders.length && !this.isLeaving && event.preventDefault());
    document.addEventListener("keydown", (event) => this.pressed(event));
    document.addEventListener("click", (event) => this.clicked(event));
    document.querySelector(".account").addEventListener("focusout", ({ currentTarget: menu, relatedTarget }) => relatedTarget && !menu.contains(relatedTarget) && menu.removeAttribute("open"));
    document.getElementById("help").addEventListener("click", () => this.help());
  }

  // ---- pages

  get site() {
    const name = new URLSearchParams(location.search).get("site");
    return this.sites.find((site) => site.name === name) ?? this.sites[0] ?? { name: "" };
  }

  /** Whether one may do here what moderators may not. */
  isLead(siteName) {
    return ["lead", "admin"].includes(this.sites.find((site) => site.name === siteName)?.role);
  }

  isShown(page) {
    return this.page === page;
  }

  pageOf(order) {
    return order.page === "comment" ? this.pages.comment : this.pages.desk;
  }

  /** Show the page that the address names. */
  route() {
    document.querySelector("dialog[open]")?.dispatchEvent(new Event("cancel")); // what it asks is of the page that is left
    const [, name = "", id] = /^\/console\/(\w*)\/?([\w-]*)/u.exec(location.pathname) ?? [];
    const page = { comments: this.pages.comment, search: this.pages.search }[name] ?? this.pages.desk;
    const isOther = this.page !== page;
    this.page = page;
    if (isOther) {
      this.main.replaceChildren(page.element);
    }
    document.querySelectorAll("[data-page]").forEach((link) => {
      const isHere = this.pages[link.dataset.page] === page;
      isHere ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
    });
    this.drawSwitches();
    page.open(new URLSearchParams(location.search), id);
  }

  go(address, { replaces = false } = {}) {
    history[replaces ? "replaceState" : "pushState"](null, "", address);
    this.route();
  }

  focusTitle(title) {
    document.title = `${title} · ${say("desk.product")}`;
  }

  clicked(event) {
    document.querySelectorAll(".account[open]").forEach((menu) => menu.contains(event.target) || menu.removeAttribute("open"));
    const link = event.target.closest('a[href^="/console/"]');
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0 && !link.hasAttribute("data-reload")) {
      event.preventDefault();
      this.go(link.getAttribute("href"));
    }
  }

  /** Let the choice of site and the link to the other language go by the address. */
  drawSwitches() {
    const choice = document.querySelector("#sites select");
    if (choice) {
      choice.value = this.site.name;
    }
    const other = document.querySelector(".menu a[hreflang]");
    other.href = withQuery(location.pathname, { ...Object.fromEntries(new URLSearchParams(location.search)), lang: other.hreflang });
  }

  drawSites() {
    const place = document.getElementById("sites");
    if (this.sites.length > 1) {
      place.replaceChildren(h("select", { "aria-label": say("filter.site"), on: { change: (event) => this.go(withQuery("/console/", { site: event.target.value })) } },
        this.sites.map((site) => h("option", { value: site.name, selected: site.name === this.site.name }, site.title || site.name))));
    } else {
      place.replaceChildren(...flat([this.sites.map((site) => isolated(site.title || site.name))]));
    }
  }

  // ---- keys

  pressed(event) {
    const menu = event.key === "Escape" && document.querySelector(".account[open]");
    if (menu) {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
      return;
    }
    const command = areShortcutsOn() && !document.querySelector("dialog[open]") ? commandOf(event) : null;
    const isDone = command !== null && (this.runOwn(command) || this.page.run(command));
    if (isDone) {
      event.preventDefault();
    }
  }

  runOwn(command) {
    if (command === "help") {
      this.help();
    } else if (command === "search") {
      this.go(withQuery("/console/search", { site: this.site.name === this.usualSite ? "" : this.site.name }));
    }
    return ["help", "search"].includes(command);
  }

  help() {
    showHelp({ isOn: areShortcutsOn(), isLead: this.isLead(this.site.name), onSwitch: setShortcuts });
  }

  // ---- what is said

  announce(words) {
    this.live.textContent = "";
    requestAnimationFrame(() => (this.live.textContent = words));
  }

  /** Say something in passing; `act` is offered while it is shown. */
  toast(words, { kind = "plain", action, keys, act } = {}) {
    const toast = h("div", { class: `toast ${kind}` }, h("p", {}, words));
    const close = () => toast.remove();
    if (act) {
      toast.append(button(action, { keys, on: { click: () => [close(), act()] } }));
    }
    // The newest alone stays beside faults; and once a decision was refused, nothing says any more that it was taken.
    this.toasts.querySelectorAll(".toast.plain").forEach((one) => one.remove());
    [...this.toasts.children].filter((one) => !act && one.textContent === words).forEach((one) => one.remove());
    this.toasts.append(toast);
    while (this.toasts.children.length > MOST_TOASTS) {
      this.toasts.firstChild.remove();
    }
    const leave = () => setTimeout(() => (toast.matches(":hover, :focus-within") ? leave() : close()), kind === "fault" ? TOAST_MS * 2 : TOAST_MS);
    leave(); // not while somebody is about to use it
    this.announce(words);
  }

  /** Say what keeps something from being shown; what is decided is the outbox's affair. */
  guard(work) {
    Promise.resolve(work).catch((problem) => this.toast(whyOf(problem), { kind: "fault" }));
  }

  /** Say whether the service answered lately. */
  reached(isReached) {
    if (this.isReached !== isReached) {
      this.isReached = isReached;
      this.drawStatus();
    }
  }

  drawStatus() {
    const { orders, troubled, givenUp } = this.outbox;
    const state = givenUp.length ? "stuck" : troubled.length ? "retrying" : orders.length ? "sending" : this.isReached ? "" : "away";
    if (state === this.status.dataset.state && String(orders.length) === this.status.dataset.count) {
      return;
    }
    Object.assign(this.status.dataset, { state, count: orders.length });
    const again = ["stuck", "retrying"].includes(state) ? button(say("outbox.again"), { on: { click: () => this.outbox.hurry() } }) : null;
    this.status.replaceChildren(...flat([state ? h("span", {}, say(`outbox.${state}`, { count: orders.length })) : null, again]));
  }

  /** Whether a decision can be taken: who is cut off should know it. */
  mayDecide() {
    if (this.outbox.isFull) {
      this.toast(say("outbox.full"), { kind: "fault" });
    }
    return !this.outbox.isFull;
  }

  /** Somebody else signed in with this browser: begin as they. What was on its way stays kept for whoever decided it. */
  begin() {
    this.isLeaving = true;
    this.outbox?.halt();
    location.reload();
  }

  /** Sign in, and come back here with everything that was on its way. */
  signIn() {
    const dialog = document.querySelector("dialog[open]");
    if (dialog) {
      dialog.addEventListener("close", () => setTimeout(() => this.signIn()), { once: true }); // what is being written is decided first
    } else if (!this.isLeaving) {
      this.isLeaving = true;
      this.outbox?.halt();
      location.assign(withQuery("/console/sign-in", { next: location.pathname + location.search, ended: this.outbox?.orders.length ? "unsent" : "yes" }));
    }
  }

  // ---- words that need the service

  /** A colleague's name; their id's beginning until it is known, or where nobody gave one. */
  nameOf(id, site) {
    const place = isolated(this.nameKnown(id) ?? say("colleague.unknown"));
    if (this.nameKnown(id) === undefined && id) {
      this.readNames(site).then(() => (place.textContent = this.nameKnown(id) ?? say("colleague.unknown")));
    }
    return place;
  }

  nameKnown(id) {
    return id === this.me.id ? say("colleague.you") : this.names.get(id);
  }

  readNames(site) {
    this.naming ??= new Map();
    if (!this.naming.has(site)) {
      this.naming.set(site, ifOffered(() => call("GET", withQuery("/v1/colleagues", { site }))).then((answer) =>
        answer?.items.forEach((one) => one.name && this.names.set(one.id, one.name))).catch(() => this.naming.delete(site)));
    }
    return this.naming.get(site);
  }
}

const app = new App();
app.start();
