// node play.mjs PAGE OUT < STEPS: uses a page by the keyboard as a person does, prints as JSON what was seen.
//
// STEPS is a JSON list: {"press": "k"}, {"fill": ["#who", "Ana"]}, {"file": ["#earlier", PATH]}, {"reopen": true} (the page is
// closed and opened again), {"shot": "name"}, {"download": "d"} (the key that starts it; it becomes OUT/<its own
// name>), {"see": ["#said", "rows"]} (wait for a text), {"read": "#progress"}. Runs in the folder that `make browser` filled; the profile is new.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { DESK, open } from "./chromium.mjs";

const [page, out] = process.argv.slice(2);
const steps = JSON.parse(readFileSync(0, "utf-8"));
const profile = mkdtempSync(join(tmpdir(), "chromium-"));
const context = await open(profile, { ...DESK, acceptDownloads: true });
const seen = { read: [], downloads: [], console: [], requests: [] };
let tab;

async function visit() {
  tab = await context.newPage();
  tab.on("console", (message) => seen.console.push(`${message.type()}: ${message.text()}`));
  tab.on("pageerror", (error) => seen.console.push(`uncaught: ${error.message}`));
  tab.on("dialog", (dialog) => seen.console.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
  tab.on("request", (request) => seen.requests.push(request.url().slice(0, 200)));
  await tab.goto(pathToFileURL(page).href, { waitUntil: "load" });
}

const DEEDS = {
  press: (key) => tab.keyboard.press(key),
  fill: ([where, text]) => tab.fill(where, text),
  file: ([where, path]) => tab.setInputFiles(where, path),
  shot: (name) => tab.screenshot({ path: join(out, `${name}.png`), fullPage: true }),
  see: ([where, text]) => tab.locator(where).filter({ hasText: text }).waitFor(),
  read: async (where) => seen.read.push(await tab.textContent(where)),
  reopen: async () => {
    await tab.close();
    await visit();
  },
  download: async (key) => {
    const [file] = await Promise.all([tab.waitForEvent("download"), tab.keyboard.press(key)]);
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
