// The calls of the page: POST count, POST labels and GET queue, of its own origin alone; signed in where the page has a login.
import { bearer, hasLogin, may, SignedOut } from "./login.js";

const SECONDS = 40;
const PATIENCE = 180; // the queue's server reads thousands of answers
const LATER = new Set([408, 429, 500, 502, 503, 504]);

/** No answer: `text` names the sentence, `later` says whether the same may be sent again, after `seconds`. */
export class Failed extends Error {
  constructor(text, { later = false, seconds = null, status = 0 } = {}) {
    super(text);
    Object.assign(this, { text, later, seconds, status });
  }
}

/** The server's answer for an image; `expected` is a number or null, `explain` asks where the model looked. Throws Failed. */
export function count(blob, expected, { explain = false } = {}) {
  // One parameter for both: API Gateway hands it on as it is, and can join none.
  const asked = [...(expected === null ? [] : [expected]), ...(explain ? ["explain=1"] : [])].join(",");
  return post(asked ? `count?expected=${encodeURIComponent(asked)}` : "count", blob, "image/jpeg", "count");
}

/** The answer to a person's count of the image of `request_id`. Throws Failed. */
export function label(record) {
  return post("labels", JSON.stringify(record), "application/json", "label");
}

/** What waits for a person: `items` in order, and how many are `waiting` in all. Throws Failed. */
export async function queue(by) {
  const found = await call(`queue?by=${encodeURIComponent(by)}`, { signal: AbortSignal.timeout(PATIENCE * 1000) });
  if (!Array.isArray(found.items) || !found.items.every(isProposed)) throw new Failed("bad_answer");
  return found;
}

/** An image of the queue. Throws Failed. */
export async function image(id) {
  try {
    const signal = AbortSignal.timeout(SECONDS * 1000);
    const response = await fetch(`queue/image?id=${encodeURIComponent(id)}`, { signal, cache: "no-store" });
    if (response.ok) return await response.blob();
    throw new Failed("not_found", { status: response.status });
  } catch (error) {
    throw error instanceof Failed ? error : new Failed("offline", { later: true });
  }
}

const isProposed = (item) => typeof item?.request_id === "string" && Number.isInteger(item.answer?.count);

function post(path, body, type, right) {
  const headers = { "Content-Type": type, Accept: "application/json" };
  return call(path, { method: "POST", body, headers, signal: AbortSignal.timeout(SECONDS * 1000) }, right);
}

async function call(path, request, right) {
  let response = await send(path, request);
  // A token may have been refused before its time: one more try with a new one, where it has the right at all.
  if (hasLogin() && (response.status === 401 || response.status === 403) && may(right)) response = await send(path, request, { anew: true });
  let document;
  try {
    document = await response.json();
  } catch {
    document = null;
  }
  if (response.ok && document && typeof document === "object") return document;
  throw refusal(response, document, right);
}

async function send(path, request, how) {
  try {
    const headers = { ...request.headers, ...(await bearer(how)) };
    return await fetch(path, { ...request, headers, cache: "no-store" });
  } catch (error) {
    const signIn = error instanceof SignedOut && !error.offline;
    throw new Failed(signIn ? "signed_out" : "offline", { later: true, seconds: signIn ? Infinity : null });
  }
}

function refusal(response, document, right) {
  const { status } = response;
  const error = document?.error ?? {};
  const seconds = Number(error.retry_after ?? response.headers.get("Retry-After")) || null;
  if (right && !may(right)) return new Failed(`no_right_to_${right}`, { later: true, seconds: 300, status });
  if (status === 401 || status === 403) return new Failed("forbidden", { later: true, seconds: 60, status });
  if (LATER.has(status)) {
    const text = error.code === "no_model" || error.code === "upstream_failed" ? error.code : "busy";
    return new Failed(text, { later: true, seconds, status });
  }
  return new Failed(response.ok ? "bad_answer" : String(error.code ?? "unknown_fault"), { status });
}
