// The page: takes an image, sends it, shows what comes. Everything from outside is text, never markup.
import { kindOf, make, show, sign } from "./answer.js";
import { prepared, Unreadable } from "./image.js";
import { drawMap, hearLook } from "./look.js";
import { listen, send, sendAll } from "./sending.js";
import { all, drop, find, keep, tidy, waits } from "./store.js";
import { enter, mayLabel, tellLogin } from "./entry.js";
import { preferred, say, speak } from "./texts.js";
import { counted, queue, sentence, summary } from "./words.js";

const at = (id) => document.getElementById(id);
const urls = new Map(); // of images that are shown: item's id -> object URL
let current = null; // the id of the item that is shown
let turn = 0; // of reading a file: the last one counts
let facts = {};

async function start() {
  at("language").value = preferred();
  [facts] = await Promise.all([enter(), speak(at("language").value)]);
  document.documentElement.classList.toggle("touch", navigator.maxTouchPoints > 0);
  await tidy();
  listen((item) => void changed(item));
  hear();
  drawExamples();
  await redraw();
  at("main").hidden = false;
  void sendAll();
}

function hear() {
  at("language").addEventListener("change", async (event) => {
    await speak(event.target.value);
    drawExamples();
    await redraw();
  });
  for (const input of [at("camera"), at("file")]) {
    input.addEventListener("change", () => {
      const [file] = input.files;
      if (file) void take(file);
      input.value = ""; // so that the same file may be chosen again
    });
  }
  at("ask").addEventListener("submit", (event) => event.preventDefault());
  at("expected").addEventListener("change", () => void askAgain()); // Enter is one, too
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) void take(file);
  });
  addEventListener("paste", (event) => {
    const [file] = event.clipboardData.files;
    if (file) void take(file);
  });
  at("next").addEventListener("click", () => void openNext());
  hearLook(() => current && find(current));
  // Keys of one letter act in the result alone, where its headline or a number has the focus.
  at("result").addEventListener("keydown", (event) => {
    if (event.target.matches("input") || event.ctrlKey || event.altKey || event.metaKey) return;
    if (/^[0-9]$/.test(event.key)) void correct(Number(event.key));
    else if (event.key === "n") void openNext();
  });
  at("forget").addEventListener("click", async () => {
    for (const item of await all()) if (!waits(item)) await drop(item.id);
    current = null;
    await redraw();
  });
}

// The number in the field, or null; undefined where it is none.
function expectedNumber() {
  const field = at("expected");
  if (!field.checkValidity()) return undefined;
  return field.value === "" ? null : Number(field.value);
}

async function take(file, { expected = expectedNumber() } = {}) {
  if (expected === undefined) return void fault({ text: "bad_expected_count" });
  const mine = ++turn;
  announce(say("reading"));
  let image;
  try {
    image = await prepared(file);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    if (mine === turn) fault(error);
    return;
  }
  if (mine === turn) await ask({ ...image, expected });
}

// The image that is shown once more, with another expected number.
async function askAgain() {
  const item = current && (await find(current));
  const expected = expectedNumber();
  if (expected === undefined) return void fault({ text: "bad_expected_count" });
  if (!item || (item.expected === expected && item.state !== "refused")) return;
  await ask({ blob: item.blob, dark: item.dark, expected });
}

async function ask({ blob, dark, expected }) {
  const id = `${Date.now().toString(36)}-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
  await keep({ id, time: Date.now(), blob, dark, expected, state: "waiting" });
  await open(id);
  await send(id);
}

async function open(id) {
  current = id;
  await redraw();
  at("result").scrollIntoView({ block: "start", behavior: "auto" });
}

// The answer that waits for a person and is the least sure.
async function openNext() {
  const [item] = queue(await all());
  if (!item) return;
  at("expected").value = item.expected ?? "";
  await open(item.id);
  at("headline").focus({ preventScroll: true });
}

async function changed(item) {
  await redraw();
  if (item.id !== current) return;
  // A person who is typing goes on typing.
  if (!document.activeElement?.matches("input, [data-number]")) at("headline").focus({ preventScroll: true });
  announce(item.answer ? `${counted(item.answer)}. ${say(kindOf(item))}` : item.fault ? sentence(item.fault) : "");
}

// A person's number; a second tap on the same one changes nothing.
async function correct(number) {
  const item = mayLabel(facts) && (await find(current));
  if (!item?.answer || (item.label?.count === number && item.label.state !== "refused")) return;
  const by = at("by").value.trim();
  localStorage.setItem("by", by);
  item.label = { count: number, by, state: "waiting", time: performance.now() };
  await keep(item);
  await redraw();
  await send(item.id);
}

function fault(error) {
  current = null;
  at("result").hidden = false;
  at("image").hidden = true;
  drawMap(null);
  at("headline").className = "verdict fault";
  at("headline").replaceChildren(sign("fault"), say("fault"));
  at("told").replaceChildren(make("p", "reason", sentence(error)));
  at("headline").focus({ preventScroll: true });
  announce(sentence(error));
}

function announce(words) {
  at("said").textContent = words;
}

async function redraw() {
  const items = (await all()).filter((item) => !item.queue);
  document.title = "bincount";
  at("stage").hidden = !facts.stage;
  at("stage").textContent = facts.stage ? say("stage", { stage: facts.stage }) : "";
  at("to-queue").hidden = !facts.queue;
  at("drawn").hidden = !facts.drawn;
  tellLogin({ waiting: items.filter(waits).length });
  drawResult(items.find((item) => item.id === current));
  drawEarlier(items);
  const there = new Set(items.map((item) => item.id));
  for (const [id, url] of urls) if (!there.has(id)) forgetUrl(id, url);
}

function forgetUrl(id, url) {
  URL.revokeObjectURL(url);
  urls.delete(id);
}

function drawResult(item) {
  at("result").hidden = !item;
  if (!item) return;
  const focused = document.activeElement?.dataset?.number;
  at("image").hidden = false;
  at("image").src = urlOf(item);
  at("image").alt = say("image");
  drawMap(item);
  show(item, { headline: at("headline"), told: at("told"), correct: mayLabel(facts) ? correct : null, by: nameField });
  if (focused) at("told").querySelector(`[data-number="${Number(focused)}"]`)?.focus({ preventScroll: true });
}

function nameField() {
  const input = Object.assign(document.createElement("input"), { id: "by", type: "text", maxLength: 100 });
  input.autocomplete = "name";
  input.value = at("by")?.value ?? localStorage.getItem("by") ?? "";
  return make("p", "by", make("label", "", say("by"), " ", input));
}

function urlOf(item) {
  if (!urls.has(item.id)) urls.set(item.id, URL.createObjectURL(item.blob));
  return urls.get(item.id);
}

function drawExamples() {
  const examples = facts.examples ?? [];
  at("examples").hidden = !examples.length;
  at("example-list").replaceChildren(
    ...examples.map(({ file, expected }, place) => {
      const image = Object.assign(document.createElement("img"), { src: `examples/${encodeURIComponent(file)}` });
      image.alt = say("example", { number: place + 1 });
      const words = make("span", "", say("list_says", { expected }));
      const button = make("button", "", image, words);
      button.type = "button";
      button.addEventListener("click", () => void takeExample(image.src, expected));
      return make("li", "", button);
    }),
  );
}

async function takeExample(address, expected) {
  let blob;
  try {
    blob = await (await fetch(address)).blob();
  } catch {
    return void fault({ text: "example_lost" });
  }
  at("expected").value = expected;
  await take(blob, { expected });
}

function drawEarlier(items) {
  const waiting = items.filter((item) => item.state === "waiting" && item.fault);
  at("earlier").hidden = !items.length;
  at("kept").hidden = !waiting.length;
  at("kept").textContent = say(waiting.length === 1 ? "kept_one" : "kept_many", { number: waiting.length });
  const people = queue(items).length;
  at("sum").textContent = summary(items, people);
  at("next").hidden = !people;
  at("next").textContent = say(people === 1 ? "next_one" : "next_many", { number: people });
  at("items").replaceChildren(...items.map(row));
}

function row(item) {
  const kind = kindOf(item);
  const image = Object.assign(document.createElement("img"), { src: urlOf(item), alt: "" });
  const time = new Date(item.time).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  const words = [item.answer ? counted(item.answer) : "–"];
  const more = [time];
  if (item.expected !== null) more.push(say("item_expected", { expected: item.expected }));
  if (item.label) more.push(say(item.label.count === item.answer.count ? "item_right" : "item_labelled", { count: item.label.count }));
  const verdict = make("span", `mark ${kind}`, sign(kind), say(kind === "waiting" ? "item_waiting" : kind));
  const text = make("span", "text", make("b", "", ...words), " ", verdict, make("span", "soft", more.join(" · ")));
  const button = Object.assign(make("button", "", image, text), { type: "button" });
  if (item.id === current) button.setAttribute("aria-current", "true");
  button.addEventListener("click", async () => {
    at("expected").value = item.expected ?? "";
    await open(item.id);
    at("headline").focus({ preventScroll: true });
  });
  return make("li", "", button);
}

await start();
