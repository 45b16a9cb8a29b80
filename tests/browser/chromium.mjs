// The tests' browser: the one that `make browser` filled this folder with, or the one that CHROMIUM names.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const { chromium } = createRequire(`${process.cwd()}/`)("playwright-core");
const DESK = { viewport: { width: 1280, height: 900 } };
const HAND = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
export const VIEWS = {
  desk: DESK,
  hand: HAND,
  "desk-dark": { ...DESK, colorScheme: "dark" },
  "hand-dark": { ...HAND, colorScheme: "dark" },
};
const OPTIONS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const NOBODY_ELSE = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";

// `hosts` are rules (MAP NAME 127.0.0.1:PORT) for names that are here: nothing else can be reached.
// The browser's own libraries would not fit another one.
export function launch(hosts) {
  const args = [...OPTIONS, `--host-resolver-rules=${[...hosts, NOBODY_ELSE].join(", ")}`];
  return chromium.launch({ ...program(), args, headless: true, chromiumSandbox: false });
}

function program() {
  // Without a locale of UTF-8 it ends at a folder with other letters than ASCII.
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, LC_ALL: "C.UTF-8" };
  if (process.env.CHROMIUM) return { executablePath: process.env.CHROMIUM, env };
  const [lib, fonts] = [resolve("al2023/lib"), resolve("fonts")];
  return { executablePath: resolve("chromium"), env: { ...env, LD_LIBRARY_PATH: lib, FONTCONFIG_PATH: fonts } };
}
