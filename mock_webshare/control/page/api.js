// The control plane: the only module that sends requests. An error has the status, 0 without a response.

import { byId, on, show } from "./dom.js";

const TOKEN = "Mock-Webshare-Token";
let version = null;
let token = sessionStorage.getItem(TOKEN);

export const root = new URL(".", location.href).href;
export const base = root.replace(/\/__mock__\/$/, "");
export const hasToken = () => token !== null;
export const serverVersion = () => version;
const failed = (status, message) => Object.assign(new Error(message), { status });

// `world` is an id; null: the request is about none.
export async function send(method, path, world, body) {
  const headers = world === null ? {} : { "Mock-Webshare-World": world };
  if (token !== null) headers[TOKEN] = token;
  if (body) headers["Content-Type"] = "application/json";
  const options = { method, headers, body: body && JSON.stringify(body), cache: "no-store", redirect: "error" };
  const response = await fetch(root + path, options).catch(() => {
    throw failed(0, "the server does not respond");
  });
  const sent = response.headers.get("Mock-Webshare-Version");
  if (version !== null && sent !== version) location.reload();
  version = sent;
  if (response.ok) return response;
  const { detail = `status ${response.status}` } = await response.json().catch(() => ({}));
  if (response.status === 403 && detail.includes(TOKEN)) show("token-form", true);
  throw failed(response.status, detail);
}

export const get = async (path, world = null) => (await send("GET", path, world)).json();

function keepToken(given) {
  token = given;
  sessionStorage.setItem(TOKEN, given);
  show("forget-token", true);
}

// The token is in `#token=…`, which is removed, or given in the form; then `changed` runs.
export function start(changed) {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    history.replaceState(null, "", location.pathname);
    keepToken(given);
  }
  on("token-form", "submit", (event) => {
    event.preventDefault();
    keepToken(byId("token").value);
    byId("token").value = "";
    show("token-form", false);
    changed();
  });
  on("forget-token", "click", () => {
    sessionStorage.removeItem(TOKEN);
    location.reload();
  });
  show("forget-token", hasToken());
}
