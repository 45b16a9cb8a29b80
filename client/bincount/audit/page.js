"use strict";
// One bin at a time. What was decided is kept in the browser, by audit, and leaves it as a file alone.
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const KEY = `bincount-audit-${data.audit}`;
const LARGEST = 10000;
const places = new Map(data.bins.map((bin, place) => [bin.id, place]));
const decisions = new Map(); // id -> {action, count, who, when}
let done = []; // [place, what was decided before], for undo
let carried = data.carried; // rows of earlier files about other images
let place = 0;
let typed = "";
let stores = true;

function remember() {
  try {
    const kept = { who: at("who").value, place, carried, done, decisions: [...decisions] };
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    stores = false;
    say("This browser keeps nothing for this page: download the corrections before you close it.");
  }
}

function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) || "null");
    if (!kept) return;
    for (const [id, decision] of kept.decisions) if (places.has(id)) decisions.set(id, decision);
    at("who").value = String(kept.who);
    carried = kept.carried;
    done = kept.done;
    place = Math.min(Math.max(0, Number(kept.place) || 0), data.bins.length - 1);
    if (decisions.size) say(`Going on where you left: ${decisions.size} bins are decided.`);
  } catch {
    stores = false;
  }
}

function say(words) {
  at("said").textContent = words;
}

function words(decision) {
  if (!decision) return "";
  if (decision.action === "correct") return `corrected to ${decision.count}`;
  return decision.action === "keep" ? "kept" : "excluded";
}

function show() {
  const bin = data.bins[place];
  const decision = decisions.get(bin.id);
  at("image").src = bin.image;
  at("image").alt = `bin ${bin.name || bin.id}`;
  at("place").textContent = `${place + 1} of ${data.bins.length}`;
  at("name").textContent = bin.name || bin.id;
  at("label").textContent = String(bin.count);
  at("decision").textContent = words(decision);
  at("decision").className = `badge ${decision ? decision.action : ""}`;
  at("guess").textContent = bin.guess;
  at("chances").tBodies[0].replaceChildren(...bin.chances.map(([count, chance, own]) => row(count, chance, own)));
  at("near").replaceChildren(...bin.near.map(neighbour));
  at("typed").textContent = typed || "–";
  at("hint").textContent = typed ? "Enter corrects the label to it" : "type the right number of objects";
  const counts = { keep: 0, correct: 0, exclude: 0 };
  for (const one of decisions.values()) counts[one.action] += 1;
  at("bar").max = data.bins.length;
  at("bar").value = decisions.size;
  at("progress").textContent =
    `${decisions.size} of ${data.bins.length} looked at: ${counts.keep} kept, ` +
    `${counts.correct} corrected, ${counts.exclude} excluded`;
}

function row(count, chance, own) {
  const line = document.createElement("tr");
  const [name, meter, share] = ["th", "td", "td"].map((tag) => line.appendChild(document.createElement(tag)));
  name.textContent = own ? `${count} (label)` : count;
  const bar = meter.appendChild(document.createElement("meter"));
  bar.max = 100;
  bar.value = chance;
  share.textContent = `${chance} %`;
  return line;
}

function neighbour([image, count]) {
  const figure = document.createElement("figure");
  const picture = figure.appendChild(document.createElement("img"));
  picture.src = image;
  picture.alt = "a similar bin";
  figure.appendChild(document.createElement("figcaption")).textContent = `similar, labelled ${count}`;
  return figure;
}

function decide(action, count) {
  const bin = data.bins[place];
  done.push([place, decisions.get(bin.id) || null]);
  decisions.set(bin.id, { action, count, who: at("who").value.trim(), when: new Date().toISOString() });
  typed = "";
  const next = undecided(place + 1);
  say(
    next === -1
      ? `All ${data.bins.length} bins are looked at. Download the corrections: press d.`
      : `${bin.name || bin.id}: ${words(decisions.get(bin.id))}`,
  );
  if (next !== -1) place = next;
  remember();
  show();
}

function undecided(from) {
  for (let step = 0; step < data.bins.length; step += 1) {
    const candidate = (from + step) % data.bins.length;
    if (!decisions.has(data.bins[candidate].id)) return candidate;
  }
  return -1;
}

function correct() {
  if (!typed) return say("Type the right number of objects first, then Enter.");
  const count = Number(typed);
  if (count > LARGEST) {
    typed = "";
    show();
    return say(`A count is at most ${LARGEST}.`);
  }
  return count === data.bins[place].count ? decide("keep") : decide("correct", count);
}

function type(digit) {
  typed = (typed === "0" ? "" : typed).concat(digit).slice(0, 6);
  show();
}

function move(to) {
  place = Math.min(Math.max(0, to), data.bins.length - 1);
  typed = "";
  remember();
  show();
}

function undo() {
  const last = done.pop();
  if (!last) return say("Nothing is decided, so there is nothing to undo.");
  const [where, before] = last;
  if (before) decisions.set(data.bins[where].id, before);
  else decisions.delete(data.bins[where].id);
  say(`Undone: ${data.bins[where].name || data.bins[where].id}`);
  return move(where);
}

// A dataset may have been made with corrections: a row always speaks of the source's own label.
function line(bin, { action, count, who, when }) {
  const value = action === "keep" ? bin.count : count;
  const said = { id: bin.id, ...(bin.name ? { name: bin.name } : {}), action, old_count: bin.source };
  if (action !== "exclude") {
    said.action = value === bin.source ? "keep" : "correct";
    if (value !== bin.source) said.new_count = value;
  }
  return { ...said, who: who || at("who").value.trim(), when };
}

function download() {
  if (!at("who").value.trim()) {
    at("who").focus();
    return say("Give your name first: each row records who looked. Then press Enter, and d again.");
  }
  const decided = data.bins.filter((bin) => decisions.has(bin.id)).map((bin) => line(bin, decisions.get(bin.id)));
  const rows = [...carried.filter((one) => !decisions.has(one.id)), ...decided];
  if (!rows.length) return say("Nothing is decided yet: there is nothing to download.");
  const text = rows.map((one) => `${JSON.stringify(one)}\n`).join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
  link.download = `corrections-${data.dataset}.jsonl`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  return say(`${rows.length} rows are in ${link.download}. Give it to data preparation with --corrections.`);
}

async function takeEarlier(file) {
  try {
    const rows = (await file.text()).split("\n").filter((text) => text.trim()).map((text) => JSON.parse(text));
    if (!rows.length || rows.some((one) => typeof one.id !== "string" || !one.action)) throw new Error("no rows");
    for (const one of rows.filter((each) => places.has(each.id))) {
      const bin = data.bins[places.get(one.id)];
      if (one.old_count !== bin.source) continue; // it spoke of another label
      const value = one.action === "correct" ? one.new_count : one.old_count;
      const action = one.action === "exclude" ? "exclude" : value === bin.count ? "keep" : "correct";
      decisions.set(one.id, { action, count: action === "correct" ? value : undefined, who: one.who, when: one.when });
    }
    const taken = new Set(rows.map((one) => one.id));
    carried = [...carried.filter((one) => !taken.has(one.id)), ...rows.filter((one) => !places.has(one.id))];
    place = Math.max(0, undecided(0));
    say(`${rows.length} rows were taken from ${file.name}.`);
    remember();
    show();
  } catch {
    say(`${file.name} is no corrections file of this page: nothing was taken.`);
  }
}

const KEYS = {
  k: () => decide("keep"),
  x: () => decide("exclude"),
  u: undo,
  d: download,
  n: () => move(Math.max(0, undecided(place + 1))),
  Enter: correct,
  ArrowLeft: () => move(place - 1),
  ArrowRight: () => move(place + 1),
  Home: () => move(0),
  End: () => move(data.bins.length - 1),
  Backspace: () => {
    typed = typed.slice(0, -1);
    show();
  },
  Escape: () => {
    typed = "";
    show();
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input")) {
    if (event.key === "Enter" || event.key === "Escape") event.target.blur();
    return;
  }
  // Enter on a button that has the focus presses it, unless a count is typed.
  if (event.key === "Enter" && event.target.matches("button") && !typed) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const deed = /^[0-9]$/.test(key) ? () => type(key) : Object.hasOwn(KEYS, key) ? KEYS[key] : null;
  if (!deed) return;
  event.preventDefault();
  deed();
});

for (const [id, deed] of Object.entries({
  keep: KEYS.k, correct, exclude: KEYS.x, undo, back: KEYS.ArrowLeft, next: KEYS.ArrowRight, download,
})) {
  at(id).addEventListener("click", deed);
}
for (const digit of "0123456789") {
  const button = at("digits").appendChild(document.createElement("button"));
  button.textContent = digit;
  button.addEventListener("click", () => type(digit));
}
at("who").addEventListener("input", remember);
at("earlier").addEventListener("change", (event) => {
  if (event.target.files.length) takeEarlier(event.target.files[0]);
  event.target.value = "";
});
window.addEventListener("beforeunload", (event) => {
  if (!stores && decisions.size) event.preventDefault();
});

at("dataset").textContent = data.dataset;
if (data.bins.length) {
  document.querySelector("main").hidden = false;
  recall();
  show();
} else {
  say("No label looks wrong.");
}
