// Sends the form without leaving the page. Without this script the form is sent as any other, and the answer is a page.
"use strict";

const frame = document.getElementById("comment-form");
const form = frame.querySelector("form");
const button = form.querySelector("button");
const result = document.getElementById("comment-result");
const list = document.getElementById("comment-list");
const buttonText = button.textContent;
let isSending = false;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!isSending) {
    send();
  }
});

async function send() {
  setSending(true);
  try {
    const response = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
      credentials: "omit",
      signal: AbortSignal.timeout(30000),
    });
    show(await response.json());
  } catch {
    announce("problem", frame.dataset.offline);
    result.focus();
  } finally {
    setSending(false);
  }
}

function show(answer) {
  const errors = answer.errors ?? [];
  const faulty = markFaults(errors);
  if (answer.state) {
    announce(answer.state, answer.message);
    if (answer.state !== "rejected") {
      append(answer);
    }
    form.comment.value = "";
    result.focus();
    return;
  }
  const hidden = errors.filter((error) => !rowOf(error)).map((error) => `${error.pointer.slice(1)}: ${error.message}`);
  announce(answer.errors ? "invalid" : "problem", [answer.message, ...hidden].join("\n"));
  (faulty ?? result).focus();
}

function rowOf(error) {
  return document.getElementById(`comment-form-${error.pointer.slice(1)}-error`);
}

function markFaults(errors) {
  let first = null;
  for (const field of form.querySelectorAll(".row input, .row textarea")) {
    const error = errors.find((candidate) => candidate.pointer === `/${field.name}`);
    document.getElementById(`${field.id}-error`).textContent = error ? error.message : "";
    field.closest(".row").classList.toggle("is-faulty", Boolean(error));
    if (error) {
      field.setAttribute("aria-invalid", "true");
      first ??= field;
    } else {
      field.removeAttribute("aria-invalid");
    }
  }
  return first;
}

function announce(outcome, message) {
  const title = document.createElement("strong");
  title.textContent = frame.dataset[`title${outcome[0].toUpperCase()}${outcome.slice(1)}`];
  const text = document.createElement("p");
  text.textContent = message;
  result.className = `result is-${outcome}`;
  result.hidden = false;
  result.replaceChildren(title, text);
}

function append(answer) {
  if (document.getElementById(`comment-${answer.id}`)) {
    return; // the same comment, sent twice
  }
  const item = document.createElement("li");
  item.id = `comment-${answer.id}`;
  const head = document.createElement("p");
  head.className = "comment-head";
  const name = document.createElement("b");
  name.dir = "auto";
  name.textContent = form.author.value;
  head.append(name);
  if (answer.state === "held") {
    item.className = "is-waiting";
    const badge = document.createElement("span");
    badge.className = "badge";
    badge.textContent = frame.dataset.waiting;
    head.append(badge);
  }
  const text = document.createElement("p");
  text.className = "comment-text";
  text.dir = "auto";
  text.textContent = form.comment.value;
  item.append(head, text);
  list.append(item);
  list.hidden = false;
}

function setSending(sending) {
  isSending = sending;
  button.setAttribute("aria-disabled", String(sending));
  button.textContent = sending ? frame.dataset.sending : buttonText;
}
