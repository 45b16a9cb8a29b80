// The two calls of the page: POST count and POST labels, of its own origin alone.
const SECONDS = 40;
const LATER = new Set([408, 429, 500, 502, 503, 504]);

/** No answer: `text` names the sentence, `later` says whether the same may be sent again, after `seconds`. */
export class Failed extends Error {
  constructor(text, { later = false, seconds = null, status = 0 } = {}) {
    super(text);
    Object.assign(this, { text, later, seconds, status });
  }
}

/** The server's answer for an image; `expected` is a number or null. Throws Failed. */
export function count(blob, expected) {
  const query = expected === null ? "" : `?expected=${expected}`;
  return post(`count${query}`, blob, "image/jpeg");
}

/** The answer to a person's count of the image of `request_id`. Throws Failed. */
export function label(record) {
  return post("labels", JSON.stringify(record), "application/json");
}

async function post(path, body, type) {
  let response, document;
  try {
    const headers = { "Content-Type": type, Accept: "application/json" };
    const signal = AbortSignal.timeout(SECONDS * 1000);
    response = await fetch(path, { method: "POST", body, headers, signal, cache: "no-store" });
  } catch {
    throw new Failed("offline", { later: true });
  }
  try {
    document = await response.json();
  } catch {
    document = null;
  }
  if (response.ok && document && typeof document === "object") return document;
  throw refusal(response, document);
}

function refusal(response, document) {
  const { status } = response;
  const error = document?.error ?? {};
  const seconds = Number(error.retry_after ?? response.headers.get("Retry-After")) || null;
  if (status === 401 || status === 403) return new Failed("forbidden", { later: true, seconds: 60, status });
  if (LATER.has(status)) {
    const text = error.code === "no_model" || error.code === "upstream_failed" ? error.code : "busy";
    return new Failed(text, { later: true, seconds, status });
  }
  return new Failed(response.ok ? "bad_answer" : String(error.code ?? "unknown_fault"), { status });
}
