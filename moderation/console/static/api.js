// The JSON API of this service, as this page's own session.

import { language, say } from "./words.js";

const TIMEOUT_MS = 20_000;
const PROOF = /<meta name="csrf-token" content="(\w+)">/u;
let csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
const person = document.querySelector('meta[name="person"]')?.content ?? "";
const PERSON = /<meta name="person" content="([\w-]+)">/u;
let signedOut = () => {};
let replaced = () => {};

/** A refusal (RFC 9457), or a request that got no answer: then `status` is 0. */
export class Problem extends Error {
  constructor(status, body = {}, retryAfterS = null) {
    super(body.detail ?? body.title ?? "");
    this.status = status;
    this.code = (body.type ?? "").split("/").pop() || (status === 0 ? "offline" : "unknown");
    this.body = body;
    this.retryAfterS = retryAfterS;
  }

  /** Whether the same request may be sent again later. */
  get isPassing() {
    return [0, 408, 425, 429, 500, 502, 503, 504].includes(this.status);
  }
}

/** Return what is said of a failure: the service's own words, but for a failure of this page, whose words are for its makers. */
export function whyOf(problem) {
  return problem.status === 0 ? say("outbox.away") : (problem instanceof Problem && problem.message) || say("fault.unknown");
}

/** Say what is done once the session has ended. */
export function onSignedOut(handler) {
  signedOut = handler;
}

/** Say what is done once somebody else has signed in with this browser. */
export function onReplaced(handler) {
  replaced = handler;
}

/**
 * Call the service. Returns the body, null where there is none. Raises `Problem`. Requests that change something outlive the page,
 * so that leaving it takes no decision back.
 */
export async function call(method, path, body = undefined) {
  let response = await answered(method, path, body);
  if (response.status === 403 && method !== "GET" && (await hasNewProof())) {
    response = await answered(method, path, body);
  }
  if (response.ok) {
    return response.status === 204 ? null : wholeBodyOf(response);
  }
  const problem = new Problem(response.status, await bodyOf(response), retryAfterOf(response));
  if (response.status === 401) {
    signedOut();
  }
  throw problem;
}

async function answered(method, path, body) {
  const headers = { Accept: "application/json", "Accept-Language": language };
  if (method !== "GET") {
    headers["X-CSRF-Token"] = csrf;
    headers["Content-Type"] = "application/json";
  }
  try {
    return await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      keepalive: method !== "GET",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new Problem(0);
  }
}

/**
 * Whether this page's proof was of an earlier session (its person signed in anew in another tab); the one of now is taken then. Where it
 * is somebody else who did, nothing is sent in their name: the page begins again, and this never returns.
 */
async function hasNewProof() {
  const response = await answered("GET", "/console/");
  const refusal = new Problem(response.status, {}, retryAfterOf(response));
  if (refusal.isPassing) {
    throw refusal; // whose proof it is shows later: the request is sent again
  }
  const page = await wholeBodyOf(response, "text");
  const [, proof = csrf] = PROOF.exec(page) ?? [];
  if ((PERSON.exec(page)?.[1] ?? person) !== person) {
    replaced();
    await new Promise(() => {});
  }
  const isNew = proof !== csrf;
  csrf = proof;
  return isNew;
}

/** An answer that breaks off tells nothing: it is asked for again. */
async function wholeBodyOf(response, kind = "json") {
  try {
    return await response[kind]();
  } catch {
    throw new Problem(0);
  }
}

async function bodyOf(response) {
  try {
    return await response.json();
  } catch {
    return {};
  }
}

function retryAfterOf(response) {
  return Number(response.headers.get("Retry-After")) || null;
}

/** Return a path with those parameters that are set. */
export function withQuery(path, parameters) {
  const set = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const query = new URLSearchParams(set).toString();
  return query ? `${path}?${query}` : path;
}

/** Return what `read` returns, null where this service has no such route or the reader may not see it. Other refusals are raised. */
export async function ifOffered(read) {
  try {
    return await read();
  } catch (problem) {
    if (problem instanceof Problem && [403, 404, 405, 410].includes(problem.status)) {
      return null;
    }
    throw problem;
  }
}
