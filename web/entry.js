// The way into the page: what its server says of itself, and the login, where there is one.
import { arrive, bearer, hasLogin, may, signedOut, signIn, SignedOut, signOut } from "./login.js";
import { say } from "./texts.js";

const TRIES = 3;
const at = (id) => document.getElementById(id);

/** What the page's server says: `stage`, `drawn`, `examples`, `labels`; nothing where it does not answer. */
export async function enter() {
  const facts = await told("page.json");
  at("sign-in").addEventListener("click", () => void signIn());
  at("sign-out").addEventListener("click", () => void signOut());
  let here = {}; // nothing of a stage is told to anyone who has not signed in
  try {
    await arrive(facts);
    if (hasLogin() && !signedOut()) here = await told("stage.json", await bearer());
  } catch (error) {
    if (!(error instanceof SignedOut)) throw error;
  }
  return { ...facts, ...here };
}

/** Draws the way in or out. `waiting` things are sent once somebody has signed in; what is `busy` stays in sight. */
export function tellLogin({ waiting = 0, busy = false } = {}) {
  const out = signedOut();
  const lacking = hasLogin() && !out && !may("count");
  at("sign-out").hidden = !hasLogin() || out;
  at("sign-in").hidden = !out;
  at("login").hidden = !out && !lacking;
  const first = waiting ? say(waiting === 1 ? "sign_in_one" : "sign_in_many", { number: waiting }) : say("sign_in_first");
  at("login-said").textContent = out ? first : say("not_in_counting");
  at("ask").hidden = lacking;
  at("main").classList.toggle("shut", out && !busy);
}

/** Whether the person may say the right number here. */
export const mayLabel = (facts) => facts.labels !== false && may("label");

async function told(file, headers = {}) {
  for (let tried = 0; tried < TRIES; tried++) {
    try {
      const answer = await fetch(file, { cache: "no-store", headers });
      return answer.ok ? await answer.json() : {};
    } catch {
      await new Promise((done) => setTimeout(done, 1000 * tried));
    }
  }
  return {};
}
