// node look.mjs PAGE OUT: opens a page in every view, writes OUT/<view>.png, prints as JSON what was seen.
//
// Runs in the folder that `make browser` filled, with its browser or with the one that CHROMIUM names. A view of a
// phone is a phone's browser: without a viewport of its own a page is laid out 980 pixels wide and shrunk, as there.
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { measure } from "./measure.mjs";

const { chromium } = createRequire(`${process.cwd()}/`)("playwright-core");
const [page, out] = process.argv.slice(2);
const DESK = { viewport: { width: 1280, height: 900 } };
const HAND = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const VIEWS = {
  desk: DESK,
  hand: HAND,
  "desk-dark": { ...DESK, colorScheme: "dark" },
  "hand-dark": { ...HAND, colorScheme: "dark" },
  print: { viewport: { width: 718, height: 1000 } }, // A4 at 96 dpi with margins of 1 cm
};
const OPTIONS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
];

// The browser's own libraries would not fit another one.
function program(home) {
  const env = { PATH: process.env.PATH, HOME: home };
  if (process.env.CHROMIUM) return { executablePath: process.env.CHROMIUM, env };
  const [lib, fonts] = [resolve("al2023/lib"), resolve("fonts")];
  return { executablePath: resolve("chromium"), env: { ...env, LD_LIBRARY_PATH: lib, FONTCONFIG_PATH: fonts } };
}

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
  const context = await chromium.launchPersistentContext(join(profile, view), {
    ...program(profile), args: OPTIONS, headless: true, chromiumSandbox: false, ...options,
  });
  found[view] = await look(context, view);
  await context.close();
}
rmSync(profile, { recursive: true, force: true });
process.stdout.write(JSON.stringify(found));
