// Draws a site's comment form and its approved comments, in Arabic or English. Comment text is only ever set as text; nothing
// is loaded from anywhere but the address this script came from.
(() => {
"use strict";

const script = document.currentScript;
const options = script.dataset;
const base = script.src.slice(0, script.src.indexOf("/embed.js"));
const lang = (options.lang || document.documentElement.lang || "ar").slice(0, 2).toLowerCase() === "en" ? "en" : "ar";
const words = {
  ar: {
    heading: "التعليقات", empty: "لا تعليقات بعد. كن أول من يكتب.", more: "عرض المزيد من التعليقات", loading: "جارٍ التحميل…",
    failed: "تعذّر تحميل التعليقات.", again: "إعادة المحاولة", form: "أضف تعليقًا", required: "الحقول المعلّمة بنجمة مطلوبة",
    author: "الاسم", email: "البريد الإلكتروني", url: "الموقع الإلكتروني", comment: "التعليق", hint: "لن يُنشر عنوان بريدك الإلكتروني.",
    send: "إرسال التعليق", sending: "جارٍ الإرسال…", offline: "تعذّر الاتصال. نص التعليق باقٍ في مكانه؛ يمكن إعادة الإرسال بعد قليل.",
    reply: "رد", replyTo: "رد على {name}", cancel: "إلغاء الرد", edited: "معدَّل", waiting: "بانتظار الموافقة", anonymous: "بلا اسم",
    trap: "يُترك هذا الحقل فارغًا",
  },
  en: {
    heading: "Comments", empty: "No comments yet. Be the first to write one.", more: "Show more comments", loading: "Loading…",
    failed: "The comments could not be loaded.", again: "Try again", form: "Leave a comment", required: "Fields marked with a star are required",
    author: "Name", email: "E-mail", url: "Website", comment: "Comment", hint: "Your e-mail address will not be published.",
    send: "Post comment", sending: "Sending…", offline: "The site could not be reached. Your text is still here; please try again in a moment.",
    reply: "Reply", replyTo: "Reply to {name}", cancel: "Cancel reply", edited: "edited", waiting: "Waiting for approval", anonymous: "Anonymous",
    trap: "Leave this field empty",
  },
}[lang];
const canonical = document.querySelector("link[rel=canonical]");
const page = options.url || (canonical ? canonical.href : location.origin + location.pathname);
const thread = options.thread || page.slice(0, 255);
const place = `${base}/sites/${encodeURIComponent(options.site)}`;
const dates = new Intl.DateTimeFormat(lang, { dateStyle: "long", timeStyle: "short" });
const shown = new Map();
let config = { required: ["author.name", "author.email", "text"], stamp: "" };
let next = null;
let isSending = false;

// A name in a sentence keeps its own direction: "رد على Karim B." must not lose its last dot to the other end.
const named = (name) => words.replyTo.replace("{name}", () => `\u2068${name}\u2069`);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const list = make("ol", { class: "cd-list" });
const note = make("p", { class: "cd-note", role: "status" });
const more = make("button", { type: "button", class: "cd-more", hidden: true }, words.more);
const result = make("div", { class: "cd-result", role: "status", tabindex: "-1" });
const cancel = make("button", { type: "button", class: "cd-link", hidden: true }, words.cancel);
const title = make("h3", { id: "cd-form-title" }, words.form);
const submit = make("button", { type: "submit", class: "cd-send" }, words.send);
const form = make("form", { class: "cd-form", method: "post", action: `${place}/comments`, "accept-charset": "utf-8", "aria-labelledby": "cd-form-title", novalidate: true });
const formPlace = make("div", {}, form);
const root = make("section", { class: "comment-desk", lang, dir: lang === "ar" ? "rtl" : "ltr", "aria-labelledby": "cd-title" },
  make("h2", { id: "cd-title", tabindex: "-1" }, words.heading), note, list, more, formPlace);

function field(name, kind, attributes) {
  const id = `cd-${name}`;
  const isRequired = config.required.includes({ author: "author.name", email: "author.email", url: "author.url", comment: "text" }[name]);
  const label = make("label", { for: id }, words[name]);
  if (isRequired) label.append(" ", make("span", { class: "cd-mark", "aria-hidden": "true" }, "*"));
  const hint = name === "email" ? make("p", { class: "cd-hint", id: `${id}-hint` }, words.hint) : "";
  const input = make(kind, { id, name, required: isRequired, "aria-describedby": `${id}-error${hint ? ` ${id}-hint` : ""}`, ...attributes });
  return make("div", { class: `cd-row cd-row-${name}` }, label, input, make("p", { class: "cd-error", id: `${id}-error` }), hint);
}

function drawForm() {
  const address = { type: "text", dir: "ltr", autocapitalize: "off", spellcheck: "false" };
  const hidden = { comment_post_ID: thread, comment_parent: "", thread_url: page, thread_title: (options.title || document.title).slice(0, 500), lang, form_stamp: config.stamp };
  form.append(make("div", { class: "cd-form-head" }, title, cancel), result, make("p", { class: "cd-hint" }, words.required),
    ...Object.entries(hidden).map(([name, value]) => make("input", { type: "hidden", name, value })),
    field("comment", "textarea", { rows: 5, dir: "auto", maxlength: config.max_text_length || null }),
    field("author", "input", { type: "text", dir: "auto", autocomplete: "name" }),
    field("email", "input", { ...address, inputmode: "email", autocomplete: "email" }),
    ...(options.website === undefined && !config.required.includes("author.url") ? [] : [field("url", "input", { ...address, inputmode: "url", autocomplete: "url" })]),
    make("div", { class: "cd-trap", "aria-hidden": "true" }, make("label", { for: "cd-trap" }, words.trap), make("input", { id: "cd-trap", name: "homepage_confirm", type: "text", tabindex: "-1", autocomplete: "off" })),
    submit);
}

function drawComment(comment, isWaiting) {
  const name = comment.author.name || words.anonymous;
  const head = make("p", { class: "cd-head" }, make("bdi", { class: "cd-name" }, name));
  if (comment.created_at) head.append(make("time", { datetime: comment.created_at }, dates.format(new Date(comment.created_at))));
  if (comment.edited) head.append(make("span", { class: "cd-hint" }, words.edited));
  if (isWaiting) head.append(make("span", { class: "cd-badge" }, words.waiting));
  const body = make("div", { class: "cd-body" }, head, make("p", { class: "cd-text", dir: "auto" }, comment.text));
  const replies = make("ol", { class: "cd-list cd-replies" });
  const item = make("li", { id: `comment-${comment.id}` }, body, replies);
  if (!isWaiting) {
    const reply = make("button", { type: "button", class: "cd-link", "aria-label": named(name) }, words.reply);
    reply.addEventListener("click", () => answer(comment.id, name, body));
    body.append(reply);
  }
  return { item, replies };
}

function add(comment, isWaiting = false) {
  if (shown.has(comment.id)) return;
  const drawn = drawComment(comment, isWaiting);
  shown.set(comment.id, { ...drawn, parent: comment.parent_id });
  const parent = shown.get(comment.parent_id);
  (parent ? parent.replies : list).append(drawn.item);
  for (const [id, other] of shown) { // replies that came before what they answer
    if (other.parent === comment.id && id !== comment.id && other.item.parentNode === list) drawn.replies.append(other.item);
  }
}

function answer(id, name, body) {
  form.elements.comment_parent.value = id;
  title.textContent = named(name);
  cancel.hidden = false;
  body.append(form);
  form.elements.comment.focus();
}

function answerNobody() {
  form.elements.comment_parent.value = "";
  title.textContent = words.form;
  cancel.hidden = true;
  formPlace.append(form);
}

async function get(path) {
  const response = await fetch(place + path, { headers: { Accept: "application/json" }, credentials: "omit", cache: "no-cache", signal: AbortSignal.timeout(20000) });
  if (!response.ok) throw new Error(response.status);
  return response.json();
}

async function load() {
  const isFirst = next === null;
  more.hidden = true;
  note.textContent = words.loading;
  try {
    const found = await get(`/threads/${encodeURIComponent(thread)}/comments${isFirst ? "" : `?cursor=${next}`}`);
    const before = list.querySelectorAll("li").length;
    found.items.forEach((comment) => add(comment));
    next = found.next;
    more.hidden = !next;
    more.textContent = words.more;
    note.textContent = shown.size ? "" : words.empty;
    if (!isFirst) { // the button that had the focus may be gone
      const first = list.querySelectorAll("li")[before];
      if (first) { first.tabIndex = -1; first.focus(); }
    }
  } catch {
    note.textContent = words.failed;
    more.textContent = words.again;
    more.hidden = false;
  }
}

function tell(outcome, text) {
  result.className = `cd-result cd-is-${outcome}`;
  result.textContent = text;
}

function markFaults(errors) {
  let first = null;
  for (const input of form.querySelectorAll(".cd-row input, .cd-row textarea")) {
    const error = errors.find((candidate) => candidate.pointer === `/${input.name}`);
    document.getElementById(`${input.id}-error`).textContent = error ? error.message : "";
    if (error) { input.setAttribute("aria-invalid", "true"); first = first || input; } else input.removeAttribute("aria-invalid");
  }
  return first;
}

async function send() {
  setSending(true);
  try {
    const response = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(new FormData(form)), credentials: "omit", signal: AbortSignal.timeout(30000) });
    take(await response.json());
  } catch {
    tell("problem", words.offline);
    result.focus();
  } finally {
    setSending(false);
  }
}

function take(answered) {
  const errors = answered.errors || [];
  const faulty = markFaults(errors);
  if (!answered.state) {
    const others = errors.filter((error) => !form.querySelector(`.cd-row [name="${error.pointer.slice(1)}"]`));
    tell("problem", [answered.message, ...others.map((error) => error.message)].join("\n"));
    (faulty || result).focus();
    return;
  }
  const parent = form.elements.comment_parent.value || null;
  if (answered.state !== "rejected") {
    add({ id: answered.id, parent_id: parent, author: { name: form.elements.author.value }, text: form.elements.comment.value, created_at: new Date().toISOString() }, answered.state === "held");
    note.textContent = "";
  }
  form.elements.comment.value = "";
  answerNobody();
  tell(answered.state, answered.message);
  result.focus();
}

function setSending(now) {
  isSending = now;
  submit.setAttribute("aria-disabled", String(now));
  submit.textContent = now ? words.sending : words.send;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!isSending) send();
});
cancel.addEventListener("click", () => { answerNobody(); form.elements.comment.focus(); });
more.addEventListener("click", load);

async function start() {
  const style = make("link", { rel: "stylesheet", href: `${base}/embed.css` });
  const styled = new Promise((resolve) => { style.onload = style.onerror = resolve; });
  document.head.append(style);
  try { config = await get("/form"); } catch { /* the form works without a stamp */ }
  drawForm();
  await styled;
  const target = options.target && document.querySelector(options.target);
  if (target) target.append(root); else script.after(root);
  await load();
}
start();
})();
