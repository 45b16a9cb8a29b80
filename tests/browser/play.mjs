// node play.mjs PAGE OUT [OPTIONS] < STEPS: uses a page as a person does, prints as JSON what was seen.
//
// PAGE is a file or an address; OPTIONS is JSON: `view`, one of chromium.mjs's, and settings of the browser such as `locale`.
// STEPS is a JSON list: {"press": "k"}, {"fill": ["#who", "Ana"]}, {"file": ["#earlier", PATH]}, {"reopen": true} (the page is
// closed and opened again), {"shot": "name"}, {"download": "d"} (the key, or the button #ID, that starts it; it
// becomes OUT/<its own name>), {"see": ["#said", "rows"]} (wait for a text), {"read": "#progress"}, {"click": "button"}, {"twice": "button"} (two
// clicks at once), {"select": ["#language", "de"]}, {"offline": true}, {"give": ["drop", PATH, NAME, TYPE]} (a file is dropped, or
// pasted), {"axe": true} (what axe-core finds), {"measure": true} (what measure.mjs finds). Runs in the folder that `make browser`
// filled; the profile is new.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { VIEWS, open } from "./chromium.mjs";
import { measure } from "./measure.mjs";

const [page, out, options = "{}"] = process.argv.slice(2);
const { view = "desk", ...settings } = JSON.parse(options);
const address = /^https?:/.test(page) ? page : pathToFileURL(page).href;
const steps = JSON.parse(readFileSync(0, "utf-8"));
const profile = mkdtempSync(join(tmpdir(), "chromium-"));
const context = await open(profile, { ...VIEWS[view], acceptDownloads: true, ...settings });
const seen = { read: [], downloads: [], console: [], requests: [], axe: [], measured: [] };
let tab;

async function visit() {
  tab = await context.newPage();
  tab.on("console", (message) => seen.console.push(`${message.type()}: ${message.text()}`));
  tab.on("pageerror", (error) => seen.console.push(`uncaught: ${error.message}`));
  tab.on("dialog", (dialog) => seen.console.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
  tab.on("request", (request) => seen.requests.push(request.url().slice(0, 200)));
  await tab.goto(address, { waitUntil: "load" });
  // Nobody can give a file to what is not shown yet; a page that still starts would lose it.
  await tab.waitForFunction(() => !document.querySelector("main[hidden]"));
}

// Runs in the page: a file comes by drag and drop, or from the clipboard.
function give([event, data, name, type]) {
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  const options = { bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer };
  document.body.dispatchEvent(event === "drop" ? new DragEvent("drop", options) : new ClipboardEvent("paste", options));
}

async function axe() {
  await tab.evaluate(readFileSync("node_modules/axe-core/axe.min.js", "utf-8"));
  const { violations } = await tab.evaluate(() => globalThis.axe.run());
  for (const { id, nodes } of violations) seen.axe.push(...nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`));
}

const DEEDS = {
  press: (key) => tab.keyboard.press(key),
  fill: ([where, text]) => tab.fill(where, text),
  file: ([where, path]) => tab.setInputFiles(where, path),
  click: (where) => (view.startsWith("hand") ? tab.tap(where) : tab.click(where)),
  twice: (where) => tab.dblclick(where),
  select: ([where, value]) => tab.selectOption(where, value),
  offline: (is) => context.setOffline(is),
  give: ([event, path, name, type]) => tab.evaluate(give, [event, readFileSync(path).toString("base64"), name, type]),
  axe,
  measure: async () => seen.measured.push(await tab.evaluate(measure)),
  shot: (name) => tab.screenshot({ path: join(out, `${name}.png`), fullPage: true }),
  see: ([where, text]) => tab.locator(where).filter({ hasText: text }).first().waitFor(),
  read: async (where) => seen.read.push(await tab.textContent(where)),
  reopen: async () => {
    await tab.close();
    await visit();
  },
  download: async (key) => {
    const [file] = await Promise.all([
      tab.waitForEvent("download"), key.startsWith("#") ? tab.click(key) : tab.keyboard.press(key),
    ]);
    const path = join(out, file.suggestedFilename());
    await file.saveAs(path);
    seen.downloads.push(path);
  },
};

await visit();
for (const step of steps) {
  const [[deed, value]] = Object.entries(step);
  await DEEDS[deed](value);
}
await context.close();
rmSync(profile, { recursive: true, force: true });
process.stdout.write(JSON.stringify(seen));
