// A site's recount: a folder of images and a manifest become a list in the manifest's order, with the doubtful bins' images.
import { kindOf, make, sign } from "./answer.js";
import { count, Failed } from "./api.js";
import { prepared, Unreadable } from "./image.js";
import { BadTable, imageId, isImage, readManifest } from "./manifest.js";
import { enter, tellLogin } from "./entry.js";
import { preferred, say, speak } from "./texts.js";
import { counted, reasons, sentence } from "./words.js";

const AT_ONCE = 4;
const TRIES = 5;
const NEEDS_A_PERSON = new Set(["forbidden", "signed_out", "no_right_to_count"]);
const at = (id) => document.getElementById(id);
let images = new Map(); // id -> file
let listed = null; // rows of the manifest
let fault = null; // of the manifest
let rows = []; // {id, expected, file, state, answer?, fault?, shown}
let running = false;

async function start() {
  at("language").value = preferred();
  await Promise.all([enter(), speak(at("language").value)]);
  tellLogin();
  hear();
  at("main").hidden = false;
}

function hear() {
  at("language").addEventListener("change", async (event) => {
    await speak(event.target.value);
    tellLogin({ busy: rows.length > 0 });
    given();
    rows.forEach(draw);
    sums();
  });
  at("ask").addEventListener("submit", (event) => event.preventDefault());
  at("folder").addEventListener("change", (event) => {
    // The first part of a path is the chosen folder itself.
    takeImages([...event.target.files].map((file) => [file.webkitRelativePath.replace(/^[^/]*\//, ""), file]));
  });
  at("table").addEventListener("change", (event) => void takeTable(event.target.files[0]));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    void dropped([...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean));
  });
  at("start").addEventListener("click", () => void recount());
  at("stop").addEventListener("click", () => (running = false));
  at("doubtful").addEventListener("change", () => at("rows").classList.toggle("doubtful", at("doubtful").checked));
  at("save").addEventListener("click", save);
  at("print").addEventListener("click", () => print());
  addEventListener("beforeunload", (event) => running && event.preventDefault());
}

function takeImages(files) {
  images = new Map(files.filter(([path]) => isImage(path)).map(([path, file]) => [imageId(path), file]));
  given();
}

async function takeTable(file) {
  if (!file) return;
  try {
    [listed, fault] = [await readManifest(file), null];
  } catch (error) {
    if (!(error instanceof BadTable)) throw error;
    [listed, fault] = [null, error];
  }
  given();
}

async function dropped(entries) {
  const files = [];
  for (const entry of entries) {
    if (entry.isDirectory) await walk(entry, "", files);
    else await takeTable(await new Promise((done, fail) => entry.file(done, fail)));
  }
  if (files.length) takeImages(files);
}

async function walk(folder, path, files) {
  const reader = folder.createReader();
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail)); // at most 100 at a time
    if (!some.length) return;
    for (const entry of some) {
      const name = path + entry.name;
      if (entry.isDirectory) await walk(entry, `${name}/`, files);
      else files.push([name, await new Promise((done, fail) => entry.file(done, fail))]);
    }
  }
}

function given() {
  const words = [];
  if (images.size) words.push(say("given_images", { number: images.size }));
  if (fault) words.push(sentence(fault));
  if (listed) {
    const there = listed.filter((row) => images.has(row.id)).length;
    words.push(say("given_rows", { number: listed.length, there }));
    if (images.size && !there) words.push(say("no_id_fits", { id: [...images.keys()][0], listed: listed[0]?.id ?? "" }));
  }
  at("given").textContent = words.join(" ");
  at("start").disabled = running || !listed || !images.size || !listed.some((row) => images.has(row.id));
}

async function recount() {
  const ids = new Set(listed.map((row) => row.id));
  const extra = [...images.keys()].filter((id) => !ids.has(id)).map((id) => ({ id, expected: null }));
  rows = [...listed, ...extra].map((row) => ({ ...row, file: images.get(row.id), state: "waiting", shown: make("tr", "") }));
  for (const row of rows.filter((each) => !each.file)) Object.assign(row, { state: "refused", fault: { text: "no_image" } });
  at("rows").replaceChildren(...rows.map((row) => row.shown));
  rows.forEach(draw);
  at("result").hidden = false;
  running = true;
  tell();
  const todo = rows.filter((row) => row.state === "waiting");
  const worker = async () => {
    for (let row = todo.shift(); row && running; row = todo.shift()) await ask(row);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  running = false;
  tell();
}

async function ask(row) {
  try {
    const { blob, dark } = await prepared(row.file);
    row.dark = dark;
    row.answer = await patiently(() => count(blob, row.expected));
    row.state = "answered";
  } catch (error) {
    if (!(error instanceof Failed || error instanceof Unreadable)) throw error;
    Object.assign(row, { state: "refused", fault: { text: error.text, values: error.values, status: error.status } });
  }
  draw(row);
  sums();
}

// A server that is full, or a network that is gone for a while, ends no recount.
async function patiently(call) {
  for (let tried = 1; ; tried++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Failed) || !error.later || NEEDS_A_PERSON.has(error.text) || tried === TRIES || !running) throw error;
      await new Promise((done) => setTimeout(done, 1000 * Math.min(30, error.seconds ?? 2 ** tried)));
    }
  }
}

function tell() {
  at("stop").hidden = !running;
  given();
  sums();
}

function sums() {
  if (!rows.length) return;
  const kinds = rows.map(kindOf);
  const number = (...names) => kinds.filter((kind) => names.includes(kind)).length;
  const done = rows.length - number("waiting");
  Object.assign(at("bar"), { value: done, max: rows.length });
  at("bar").setAttribute("aria-label", say("done_of", { done, all: rows.length }));
  at("sums").textContent = say("sums", {
    done, all: rows.length, match: number("match"), mismatch: number("mismatch"),
    people: number("uncertain", "review"), other: number("counted"), fault: number("fault"),
  });
}

function draw(row) {
  const kind = kindOf(row);
  const settled = ["match", "counted", "waiting"].includes(kind);
  row.shown.className = settled ? "settled" : "";
  const id = make("th", "id", row.id);
  id.scope = "row";
  const verdict = make("td", "", make("span", `mark ${kind}`, sign(kind), say(kind === "waiting" ? "item_waiting" : kind)));
  const why = row.answer ? reasons(row.answer, row) : row.fault ? [unfit(row.fault)] : [];
  if (!settled) verdict.append(...why.map((words) => make("p", "soft", words)));
  if (!settled && row.file) verdict.append(picture(row));
  row.shown.replaceChildren(id, make("td", "", row.expected ?? ""), make("td", "", row.answer ? counted(row.answer) : ""), verdict);
}

// Where nobody answered, nothing is kept here, other than on the page for one image.
const unfit = (found) => (["offline", "busy", "no_model", "upstream_failed", "forbidden", "signed_out", "no_right_to_count"].includes(found.text) ? say(`lost_${found.text}`) : sentence(found));

function picture(row) {
  row.url ??= URL.createObjectURL(row.file);
  const image = Object.assign(document.createElement("img"), { src: row.url, alt: say("image_of", { id: row.id }), loading: "lazy" });
  image.addEventListener("error", () => image.remove()); // it is no image: the sentence says so
  return image;
}

function save() {
  const cell = (value) => (/[",\r\n;\t]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const lines = rows.map((row) => {
    const kind = kindOf(row);
    const { answer } = row;
    const cells = [row.id, row.expected ?? "", answer?.count ?? "", kind, answer ? String(answer.review) : "", answer?.request_id ?? "", row.fault?.text ?? ""];
    return cells.map((each) => cell(String(each))).join(",");
  });
  const text = `\ufeff${["id,expected,count,verdict,review,request_id,error", ...lines].join("\r\n")}\r\n`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = "recount.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

await start();
