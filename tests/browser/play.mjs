// Uses `page`, a file or an address, as a person does, step by step; gives what was seen.
//
// `options`: `view`, one of chromium.mjs's, and settings of the browser such as `locale`.
// `steps`: {"press": "k"}, {"fill": ["#who", "Ana"]}, {"file": ["#earlier", PATH]}, {"reopen": true} (the page is
// closed and opened again), {"shot": "name"}, {"download": "d"} (the key, or the button #ID, that starts it; it
// becomes OUT/<its own name>), {"see": ["#said", "rows"]} (wait for a text), {"read": "#progress"}, {"click": "button"}, {"twice": "button"} (two
// clicks at once), {"select": ["#language", "de"]}, {"offline": true}, {"give": ["drop", PATH, NAME, TYPE]} (a file is dropped, or
// pasted), {"axe": true} (what axe-core finds), {"measure": true} (what measure.mjs finds), {"store": ["login", TEXT]} (into the tab's
// sessionStorage). The profile is new.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { VIEWS } from "./chromium.mjs";
import { measure } from "./measure.mjs";

export async function play(browser, { page, out, steps, options: { view = "desk", ...settings } }) {
  const context = await browser.newContext({ ...VIEWS[view], ...settings });
  try {
    const address = /^https?:/.test(page) ? page : pathToFileURL(page).href;
    const visit = new Visit(context, address, out, view.startsWith("hand"));
    await visit.start();
    for (const step of steps) {
      const [[deed, value]] = Object.entries(step);
      await visit[deed](value);
    }
    return visit.seen;
  } finally {
    await context.close();
  }
}

// Its methods after `start` are the steps.
class Visit {
  seen = { read: [], downloads: [], console: [], requests: [], axe: [], measured: [] };

  constructor(context, address, out, byHand) {
    Object.assign(this, { context, address, out, byHand });
  }

  async start() {
    const { seen } = this;
    this.tab = await this.context.newPage();
    this.tab.on("console", (message) => seen.console.push(`${message.type()}: ${message.text()}`));
    this.tab.on("pageerror", (error) => seen.console.push(`uncaught: ${error.message}`));
    this.tab.on("dialog", (dialog) => seen.console.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
    this.tab.on("request", (request) => seen.requests.push(request.url().slice(0, 200)));
    await this.tab.goto(this.address, { waitUntil: "load" });
    // Nobody can give a file to what is not shown yet; a page that still starts would lose it.
    await this.tab.waitForFunction(() => !document.querySelector("main[hidden]"));
  }

  async reopen() {
    await this.tab.close();
    await this.start();
  }

  press(key) {
    return this.tab.keyboard.press(key);
  }

  fill([where, text]) {
    return this.tab.fill(where, text);
  }

  file([where, path]) {
    return this.tab.setInputFiles(where, path);
  }

  click(where) {
    return this.byHand ? this.tab.tap(where) : this.tab.click(where);
  }

  twice(where) {
    return this.tab.dblclick(where);
  }

  select([where, value]) {
    return this.tab.selectOption(where, value);
  }

  offline(is) {
    return this.context.setOffline(is);
  }

  give([event, path, name, type]) {
    return this.tab.evaluate(give, [event, readFileSync(path).toString("base64"), name, type]);
  }

  async axe() {
    await this.tab.evaluate(readFileSync("node_modules/axe-core/axe.min.js", "utf-8"));
    const { violations } = await this.tab.evaluate(() => globalThis.axe.run());
    for (const { id, nodes } of violations) this.seen.axe.push(...nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
  }

  async measure() {
    this.seen.measured.push(await this.tab.evaluate(measure));
  }

  store(given) {
    return this.tab.evaluate(([key, value]) => sessionStorage.setItem(key, value), given);
  }

  shot(name) {
    return this.tab.screenshot({ path: join(this.out, `${name}.png`), fullPage: true });
  }

  see([where, text]) {
    return this.tab.locator(where).filter({ hasText: text }).first().waitFor();
  }

  async read(where) {
    this.seen.read.push(await this.tab.textContent(where));
  }

  async download(key) {
    const [file] = await Promise.all([
      this.tab.waitForEvent("download"), key.startsWith("#") ? this.tab.click(key) : this.tab.keyboard.press(key),
    ]);
    const path = join(this.out, file.suggestedFilename());
    await file.saveAs(path);
    this.seen.downloads.push(path);
  }
}

// Runs in the page: a file comes by drag and drop, or from the clipboard.
function give([event, data, name, type]) {
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  const options = { bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer };
  document.body.dispatchEvent(event === "drop" ? new DragEvent("drop", options) : new ClipboardEvent("paste", options));
}
