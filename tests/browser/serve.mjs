// node serve.mjs: looks at pages and uses them, one after another, as lines of JSON on its input ask; a line of JSON answers each.
//
// {"deed": "look" or "play", ...}: look.mjs and play.mjs say what each takes and gives; the answer is {"seen": ...} or
// {"error": TEXT}. A browser stays open between the lines, since its start costs more than what most tests do with it; what pages
// store, and each setting, belongs to one line alone. Runs in the folder that `make browser` filled; ends with its input.
import { createInterface } from "node:readline";
import { launch } from "./chromium.mjs";
import { look } from "./look.mjs";
import { play } from "./play.mjs";

const DEEDS = { look, play };
const browsers = new Map(); // by the names that they know

async function browserFor(hosts = []) {
  const key = hosts.join();
  if (!browsers.get(key)?.isConnected()) browsers.set(key, await launch(hosts));
  return browsers.get(key);
}

async function answer({ deed, hosts, ...what }) {
  try {
    return { seen: await done(deed, hosts, what) };
  } catch (error) {
    return { error: error.stack ?? String(error) };
  }
}

// A browser that has shown many pages may fail to draw one. Looking changes nothing, so a new one looks again.
async function done(deed, hosts, what) {
  const browser = await browserFor(hosts);
  try {
    return await DEEDS[deed](browser, what);
  } catch (error) {
    if (deed !== "look" || !String(error).includes("Protocol error")) throw error;
    await browser.close();
    return await DEEDS[deed](await browserFor(hosts), what);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
for (const browser of browsers.values()) await browser.close();
