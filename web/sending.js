// Sends what is kept: at once, and again later where nobody answered. Each item is sent by one tab at a time.
import { count, Failed, label } from "./api.js";
import { all, find, keep, waits } from "./store.js";

const SOONEST = 5;
const LATEST = 60;
let timer = 0;
let pause = SOONEST;
let changed = () => {};

/** `listener(item)` is called with each item that changed. */
export function listen(listener) {
  changed = listener;
  addEventListener("online", () => void sendAll());
  document.addEventListener("visibilitychange", () => void (document.hidden || sendAll()));
}

/** Sends an item's image, then its label; whatever comes is kept in the item. */
export async function send(id) {
  await alone(id, async () => {
    let item = await find(id);
    if (item?.state === "waiting") await sendImage(item);
    item = await find(id);
    if (item?.state === "answered" && item.label?.state === "waiting") await sendLabel(item);
  });
}

/** Sends everything that waits, the oldest first. */
export async function sendAll() {
  clearTimeout(timer);
  for (const item of (await all()).filter(waits).reverse()) await send(item.id);
}

// The lock is the browser's, for all tabs; without it (an address without TLS) this tab keeps its own. Whoever waited
// for it reads the item anew, and finds nothing left to send.
const mine = new Map();
async function alone(id, work) {
  if (navigator.locks) return navigator.locks.request(`bincount ${id}`, work);
  const done = (mine.get(id) ?? Promise.resolve()).then(work, work);
  mine.set(id, done);
  return done;
}

async function sendImage(item) {
  try {
    item.answer = sound(await count(item.blob, item.expected, { explain: true }));
    Object.assign(item, { state: "answered", fault: null });
    pause = SOONEST;
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    item.fault = { text: error.text, status: error.status };
    if (error.later) again(error.seconds);
    else item.state = "refused";
  }
  await keep(item);
  changed(item);
}

async function sendLabel({ id, answer, label: sent }) {
  const record = { request_id: answer.request_id, count: sent.count, ...(sent.by ? { by: sent.by } : {}) };
  let found;
  try {
    const said = await label(record);
    found = { state: "saved", previous: said.previous ?? null, fault: null };
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    found = { state: error.later ? "waiting" : "refused", fault: { text: error.text, status: error.status } };
    if (error.later) again(error.seconds);
  }
  const item = await find(id);
  if (item?.label?.time !== sent.time) return; // another number was tapped in the meantime: it is sent next
  Object.assign(item.label, found);
  await keep(item);
  changed(item);
}

// What is shown of an answer must be there; a server of another version, or none of ours, answers otherwise.
function sound(answer) {
  const { count: number, confidence, interval, probabilities, request_id: id } = answer;
  const whole = [number, ...(Array.isArray(interval) && interval.length === 2 ? interval : [null])].every(Number.isInteger);
  const shares = Object.entries(probabilities ?? {});
  const chances = shares.length && shares.every(([key, share]) => /^[0-9]+$/.test(key) && typeof share === "number");
  if (!whole || !chances || typeof confidence !== "number" || typeof id !== "string") throw new Failed("bad_answer");
  return answer;
}

function again(seconds) {
  clearTimeout(timer);
  if (seconds === Infinity) return; // until the person has signed in
  timer = setTimeout(() => void sendAll(), 1000 * (seconds ?? pause));
  pause = Math.min(LATEST, 2 * pause);
}
