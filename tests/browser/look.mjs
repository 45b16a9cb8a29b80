// node look.mjs PAGE OUT: opens a page in every view, writes OUT/<view>.png, prints as JSON what was seen.
//
// Runs in the folder that `make browser` filled, with its browser or with the one that CHROMIUM names. A view of a
// phone is a phone's browser: without a viewport of its own a page is laid out 980 pixels wide and shrunk, as there.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { VIEWS as SCREENS, open } from "./chromium.mjs";
import { measure } from "./measure.mjs";

const [page, out] = process.argv.slice(2);
const VIEWS = {
  ...SCREENS,
  print: { viewport: { width: 718, height: 1000 } }, // A4 at 96 dpi with margins of 1 cm
};
async function look(context, view) {
  const seen = { console: [], requests: [] };
  const tab = await context.newPage();
  tab.on("console", (message) => seen.console.push(`${message.type()}: ${message.text()}`));
  tab.on("pageerror", (error) => seen.console.push(`uncaught: ${error.message}`));
  tab.on("request", (request) => seen.requests.push(request.url()));
  if (view === "print") await tab.emulateMedia({ media: "print" });
  await tab.goto(pathToFileURL(page).href, { waitUntil: "load" });
  const measured = await tab.evaluate(measure);
  await tab.screenshot({ path: join(out, `${view}.png`), fullPage: true });
  await tab.close();
  return { ...seen, ...measured };
}

const profile = mkdtempSync(join(tmpdir(), "chromium-"));
const found = {};
for (const [view, options] of Object.entries(VIEWS)) {
  const context = await open(join(profile, view), options);
  found[view] = await look(context, view);
  await context.close();
}
rmSync(profile, { recursive: true, force: true });
process.stdout.write(JSON.stringify(found));
