// Signing in: authorization code with PKCE at the login that page.json names; without one nobody needs to (a page on this machine).
//
// Tokens are kept in this tab (sessionStorage) and are gone with it. What a person may do is checked where it is asked for; the
// scopes that are read here only decide what is shown.
const KEPT = "login";
const ASKED = "asked";
const SECONDS = 20;
const SOON = 30; // a token that ends within so many seconds is renewed first
let login = null; // {url, client} of page.json
let renewing = null;

/** No token: the person has to sign in, or (`offline`) the login cannot be reached. */
export class SignedOut extends Error {
  constructor({ offline = false } = {}) {
    super("signed out");
    this.offline = offline;
  }
}

/** Takes what page.json says and, where the person comes back from the login, exchanges the code for tokens. */
export async function arrive(facts) {
  login = facts.login ?? null;
  if (!login) return;
  const given = new URLSearchParams(location.search);
  const asked = read(ASKED);
  if (!given.has("code") && !given.has("error")) return;
  sessionStorage.removeItem(ASKED);
  history.replaceState(null, "", location.pathname); // neither reloaded nor bookmarked with the code
  if (!given.has("code") || !asked || given.get("state") !== asked.state) return;
  const tokens = await token({ grant_type: "authorization_code", code: given.get("code"), redirect_uri: here(), code_verifier: asked.verifier });
  if (claims(tokens.id_token).nonce === asked.nonce) keep(tokens);
}

/** Whether somebody has to sign in before anything can be asked. */
export const signedOut = () => Boolean(login) && !read(KEPT);

/** Whether a login belongs to this page at all. */
export const hasLogin = () => Boolean(login);

/** Whether the person may do this (`count`, `label`, `read`), as far as the token says. */
export function may(right) {
  if (!login) return true;
  const scopes = String(claims(read(KEPT)?.access_token).scope ?? "").split(" ");
  return scopes.includes(`${login.client}/${right}`);
}

/** Leaves for the login; it leads back to this page. */
export async function signIn() {
  const [state, nonce, verifier] = [random(), random(), random()];
  sessionStorage.setItem(ASKED, JSON.stringify({ state, nonce, verifier }));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const query = new URLSearchParams({
    response_type: "code", client_id: login.client, redirect_uri: here(), scope: "openid", state, nonce,
    code_challenge: base64(new Uint8Array(digest)), code_challenge_method: "S256",
  });
  location.assign(`${login.url}/oauth2/authorize?${query}`);
}

/** Ends the login here and there; what waits on the device goes on waiting. */
export async function signOut() {
  const kept = read(KEPT);
  forget();
  if (kept?.refresh_token) await ask("revoke", { token: kept.refresh_token }).catch(() => {});
  location.assign(`${login.url}/logout?${new URLSearchParams({ client_id: login.client, logout_uri: here() })}`);
}

/** The headers that a call needs: none without a login. `anew` renews a token that was refused. Throws SignedOut. */
export async function bearer({ anew = false } = {}) {
  if (!login) return {};
  const kept = read(KEPT);
  if (!kept) throw new SignedOut();
  const left = Number(claims(kept.access_token).exp ?? 0) - Date.now() / 1000 - (kept.ahead ?? 0);
  if (!anew && left > SOON) return { Authorization: kept.access_token };
  renewing ??= renew(kept).finally(() => (renewing = null));
  return { Authorization: await renewing };
}

/** Drops the tokens: the server took none of them. */
export function forget() {
  sessionStorage.removeItem(KEPT);
}

async function renew({ refresh_token }) {
  const tokens = await token({ grant_type: "refresh_token", refresh_token });
  if (read(KEPT)?.refresh_token !== refresh_token) throw new SignedOut(); // signed out in the meantime
  keep({ refresh_token, ...tokens });
  return tokens.access_token;
}

// The device's clock may be wrong: what it says is held against the time at which the token was made.
function keep({ access_token, refresh_token }) {
  const ahead = Number(claims(access_token).iat) - Date.now() / 1000;
  sessionStorage.setItem(KEPT, JSON.stringify({ access_token, refresh_token, ahead }));
}

async function token(members) {
  let response;
  try {
    response = await ask("token", members);
  } catch {
    throw new SignedOut({ offline: true });
  }
  if (response.status >= 500 || response.status === 429) throw new SignedOut({ offline: true });
  if (!response.ok) {
    forget();
    throw new SignedOut();
  }
  return response.json();
}

function ask(path, members) {
  const body = new URLSearchParams({ client_id: login.client, ...members });
  const signal = AbortSignal.timeout(SECONDS * 1000);
  return fetch(`${login.url}/oauth2/${path}`, { method: "POST", body, signal, cache: "no-store", credentials: "omit" });
}

const here = () => location.origin + location.pathname;
const random = () => base64(crypto.getRandomValues(new Uint8Array(32)));
const base64 = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

// What a token says; whether it is true is the API's to find out.
function claims(text) {
  try {
    const bytes = atob(text.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (sign) => sign.charCodeAt(0))));
  } catch {
    return {};
  }
}

function read(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null;
  }
}
