// What this device keeps of today: images with their answers, and those that wait. IndexedDB, or memory where there is none.
//
// An item: {id, time, blob, dark, expected (number or null), state ("waiting", "answered", "refused"), fault?, answer?,
// label? {count, state ("waiting", "saved"), previous?}}. With `queue` it is a number for an image of queue.html: no blob.
const NAME = "items";
const MOST = 200;
const memory = new Map();
let opened = null;

function database() {
  opened ??= new Promise((done) => {
    let asked;
    try {
      asked = indexedDB.open("bincount", 1);
    } catch {
      done(null);
      return;
    }
    asked.onupgradeneeded = () => asked.result.createObjectStore(NAME, { keyPath: "id" });
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => done(null);
  });
  return opened;
}

async function run(mode, call) {
  const base = await database();
  return new Promise((done, fail) => {
    const change = base.transaction(NAME, mode);
    const asked = call(change.objectStore(NAME));
    change.oncomplete = () => done(asked.result);
    change.onerror = change.onabort = () => fail(change.error);
  });
}

/** Keeps an item in place of the one with its id. */
export async function keep(item) {
  if (await database()) await run("readwrite", (items) => items.put(item));
  else memory.set(item.id, item);
}

/** The item of an id, or undefined. */
export async function find(id) {
  return (await database()) ? run("readonly", (items) => items.get(id)) : memory.get(id);
}

/** All items, the newest first. */
export async function all() {
  const items = (await database()) ? await run("readonly", (store) => store.getAll()) : [...memory.values()];
  return items.sort((one, other) => other.time - one.time);
}

/** Drops an item. */
export async function drop(id) {
  if (await database()) await run("readwrite", (items) => items.delete(id));
  else memory.delete(id);
}

/** Whether something of the item has not reached the server yet. */
export const waits = (item) => item.state === "waiting" || item.label?.state === "waiting";

/** Drops what is of an earlier day, and the oldest beyond what is kept; never what waits. */
export async function tidy() {
  const today = new Date().setHours(0, 0, 0, 0);
  const done = (await all()).filter((item) => !waits(item));
  for (const item of done.filter((each) => each.queue)) await drop(item.id);
  const own = done.filter((item) => !item.queue);
  for (const [place, item] of own.entries()) if (item.time < today || place >= MOST) await drop(item.id);
}
