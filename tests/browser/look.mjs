// Opens `page`, a file, in every view and writes OUT/<view>.png; gives what was seen in each.
//
// A view of a phone is a phone's browser: without a viewport of its own a page is laid out 980 pixels wide and shrunk, as there.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { VIEWS as SCREENS } from "./chromium.mjs";
import { measure } from "./measure.mjs";

const VIEWS = {
  ...SCREENS,
  print: { viewport: { width: 718, height: 1000 } }, // A4 at 96 dpi with margins of 1 cm
};

export async function look(browser, { page, out }) {
  const found = {};
  for (const [view, options] of Object.entries(VIEWS)) {
    const context = await browser.newContext(options);
    found[view] = await see(context, view, page, out).finally(() => context.close());
  }
  return found;
}

async function see(context, view, page, out) {
  const seen = { console: [], requests: [] };
  const tab = await context.newPage();
  tab.on("console", (message) => seen.console.push(`${message.type()}: ${message.text()}`));
  tab.on("pageerror", (error) => seen.console.push(`uncaught: ${error.message}`));
  tab.on("request", (request) => seen.requests.push(request.url()));
  if (view === "print") await tab.emulateMedia({ media: "print" });
  await tab.goto(pathToFileURL(page).href, { waitUntil: "load" });
  const measured = await tab.evaluate(measure);
  await tab.screenshot({ path: join(out, `${view}.png`), fullPage: true });
  return { ...seen, ...measured };
}
