// The queue: images that wait for a person, one after the other, with the keyboard on a desk and the thumb on a phone.
//
// What the model counted is shown after the person's number, so that it leads nobody. A number is kept on the device and sent
// as a label; the next image comes at once.
import { labelWords, make } from "./answer.js";
import { Failed, image, queue as ask } from "./api.js";
import { listen, send, sendAll } from "./sending.js";
import { all, find, keep, tidy } from "./store.js";
import { preferred, say, speak } from "./texts.js";
import { counted, sentence } from "./words.js";

const NEAR = 3; // images before and after the one that is shown that are held
const at = (id) => document.getElementById(id);
const skipped = new Set();
let items = []; // {request_id, answered_at, answer, score, count?, picture? (a promise of an object URL, null where there is none)}
let place = 0;
let waiting = 0;
let fault = null;
let asking = false;
let last = null; // the item that got a number last

async function start() {
  at("language").value = preferred();
  await speak(at("language").value);
  document.documentElement.classList.toggle("touch", navigator.maxTouchPoints > 0);
  at("by").value = localStorage.getItem("by") ?? "";
  await tidy();
  listen((item) => void changed(item));
  hear();
  at("digits").replaceChildren(...Array.from({ length: 10 }, (_, number) => digit(number)));
  at("main").hidden = false;
  void sendAll();
  await more();
}

function digit(number) {
  const button = Object.assign(make("button", "", String(number)), { type: "button" });
  button.dataset.number = number;
  button.addEventListener("click", () => void give(number));
  return button;
}

function hear() {
  at("language").addEventListener("change", async (event) => {
    await speak(event.target.value);
    draw();
    await said();
  });
  at("who").addEventListener("submit", (event) => event.preventDefault());
  at("by").addEventListener("change", () => localStorage.setItem("by", at("by").value.trim()));
  at("give").addEventListener("click", giveOther);
  at("other").addEventListener("keydown", (event) => event.key === "Enter" && giveOther());
  at("back").addEventListener("click", () => move(-1));
  at("skip").addEventListener("click", skip);
  at("more").addEventListener("click", () => void more());
  addEventListener("keydown", (event) => {
    if (event.target.matches("input, select") || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (/^[0-9]$/.test(event.key)) void give(Number(event.key));
    else if (event.key === "ArrowLeft") move(-1);
    else if (event.key === "ArrowRight" || event.key === "s") skip();
    else if (event.key === "o") event.preventDefault(), at("other").focus();
  });
}

// The next images of the queue; what was skipped here is not shown again before the page is closed.
async function more() {
  if (asking) return;
  asking = true;
  fault = null;
  draw();
  try {
    const found = await ask(at("by").value.trim());
    items.forEach(forget);
    items = found.items.filter((item) => !skipped.has(item.request_id));
    [place, waiting] = [0, found.waiting];
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    fault = error;
  }
  asking = false;
  draw();
  (items[place] ? at("place") : at("end-title")).focus({ preventScroll: true });
}

function giveOther() {
  const field = at("other");
  if (field.value !== "" && field.checkValidity()) void give(Number(field.value));
}

// A person's number. The next image is shown before the number has reached the server.
async function give(number) {
  const item = items[place];
  if (!item) return;
  place += 1;
  last = item;
  item.count = number;
  at("other").value = "";
  draw();
  const by = at("by").value.trim();
  localStorage.setItem("by", by);
  const id = `queue ${item.request_id}`;
  const label = { count: number, by, state: "waiting", time: performance.now() };
  await keep({ id, time: Date.now(), queue: true, expected: null, state: "answered", answer: item.answer, label });
  await said();
  await send(id);
}

function skip() {
  const item = items[place];
  if (!item) return;
  if (item.count === undefined) skipped.add(item.request_id);
  move(1);
}

function move(by) {
  place = Math.min(items.length, Math.max(0, place + by));
  draw();
}

async function changed(item) {
  if (item.queue) await said();
}

// What became of the last number, and how many have not reached the server yet.
async function said() {
  const item = last && (await find(`queue ${last.request_id}`));
  const words = item ? [labelWords(item.label), say("queue_counted", { counted: counted(last.answer) })] : [];
  at("given").textContent = words.join(" ");
  const kept = (await all()).filter((each) => each.queue && each.label.state === "waiting" && each.label.fault).length;
  at("kept").hidden = !kept;
  at("kept").textContent = say(kept === 1 ? "queue_kept_one" : "queue_kept_many", { number: kept });
}

function draw() {
  const item = items[place];
  document.title = `${say("queue")} - bincount`;
  at("bin").hidden = !item;
  at("end").hidden = Boolean(item);
  at("end-title").textContent = asking ? say("queue_asking") : fault ? unfit(fault) : say(items.length ? "queue_done" : "queue_empty");
  at("more").hidden = asking;
  if (!item) return;
  const left = Math.max(0, waiting - items.filter((each) => each.count !== undefined).length);
  at("place").textContent = say("queue_place", { place: place + 1, of: items.length, left });
  at("image").alt = say("queue_image");
  const time = new Date(item.answered_at);
  const when = time.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  at("taken").textContent = Number.isNaN(time.getTime()) ? "" : say("queue_taken", { when });
  at("back").disabled = place === 0;
  for (const button of at("digits").children) {
    button.setAttribute("aria-pressed", String(item.count === Number(button.dataset.number)));
  }
  void drawImage(item);
}

async function drawImage(item) {
  for (const [other, each] of items.entries()) if (Math.abs(other - place) > NEAR) forget(each);
  for (const each of items.slice(place, place + 1 + NEAR)) each.picture ??= picture(each.request_id);
  if (at("image").dataset.shown !== item.request_id) at("image").removeAttribute("src");
  const url = await item.picture;
  if (items[place] !== item) return;
  at("image").dataset.shown = item.request_id;
  at("image").hidden = !url;
  if (url) at("image").src = url;
  else at("taken").textContent = say("queue_no_image");
}

async function picture(id) {
  try {
    return URL.createObjectURL(await image(id));
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    return null;
  }
}

function forget(item) {
  void item.picture?.then((url) => url && URL.revokeObjectURL(url));
  item.picture = undefined;
}

// Nothing of the queue is kept here, other than on the page for one image.
function unfit(found) {
  if (found.status === 404) return say("queue_absent");
  return ["offline", "busy", "upstream_failed", "forbidden"].includes(found.text) ? say(`queue_${found.text}`) : sentence(found);
}

await start();
