// One request and its response in detail, with copies of it in code.

import { get } from "./api.js";
import { byId, button, make, on, setChildren, setText, show, tableRow } from "./dom.js";
import { indented, isAlarm, localTime, milliseconds, statusText, worldTime } from "./format.js";
import { requestAsAssertion, requestAsCurl, requestAsPython } from "./snippets.js";

const FIRST = 20000;
const COPIES = { curl: requestAsCurl, Python: requestAsPython, assertion: requestAsAssertion };
let [opened, request] = [null, null];

// `closed` gets the number of the request that was shown.
export function start(closed) {
  const close = () => {
    const number = opened;
    hide();
    closed(number);
  };
  on("close-detail", "click", close);
  document.addEventListener("keydown", (event) => event.key === "Escape" && opened !== null && close());
  setChildren("copies", ...Object.entries(COPIES).map(([name, as]) => button(name, () => copy(as(request)))));
}

export const shownNumber = () => opened;

export function hide() {
  opened = null;
  show("detail", false);
  byId("main").classList.remove("has-detail");
}

// Show a request of a world.
export async function open(number, world, isFocused) {
  opened = number;
  const exchange = await get(`requests/${number}`, world).catch((problem) => problem);
  if (opened !== number) return;
  setText("detail-title", `Request ${number}`);
  setText("detail-error", exchange.message ?? "");
  show("detail-parts", exchange.request);
  if (exchange.request) draw(exchange);
  show("detail", true);
  byId("main").classList.add("has-detail");
  if (isFocused) byId("detail-title").focus();
}

function draw(exchange) {
  const { response, arrived, started, seconds, why } = exchange;
  const entry = { ...exchange, status: response ? response.status : null };
  request = exchange.request;
  setChildren("detail-line", make("b", {}, request.method), ` ${request.url.replace(/^[a-z]+:\/\/[^/]*/, "")}`);
  setText("detail-status", `${statusText(entry)}${exchange.waiting ? "" : ` · ${milliseconds(seconds * 1000)} ms`}`);
  byId("detail-status").classList.toggle("error", isAlarm(entry));
  setText("detail-time", `${localTime(arrived)} · world's clock ${worldTime(started)}`);
  const reasons = why.length ? why : ["The ordinary response."];
  setChildren("detail-why", ...reasons.map((text) => make("li", {}, text)));
  show("snippet", false);
  setText("copied", "");
  setChildren("detail-request", headers(request), ...body(request));
  setChildren("detail-response", ...(response ? [headers(response), ...body(response)] : []));
}

function headers(message) {
  const lines = message.headers.map((header) => tableRow({}, ...header));
  return make("details", {}, make("summary", {}, `headers (${lines.length})`), make("table", {}, ...lines));
}

function body(message) {
  const sent = message.body ?? message.body_base64;
  if (!sent) return [make("p", { class: "muted" }, "no body")];
  const isJson = message.body && message.headers.some((header) => /^content-type:.*json/i.test(header.join(":")));
  const [tools, area] = [make("p", { class: "tools" }), make("pre", { tabindex: 0 })];
  const draw = (text, limit) => {
    area.textContent = text.slice(0, limit);
    tools.replaceChildren(message.body ? "" : "base64 ");
    if (isJson) tools.append(button("indented", () => draw(indented(sent), FIRST)), button("as sent", () => draw(sent, FIRST)));
    const all = `show all ${text.length.toLocaleString("en")} characters`;
    if (text.length > limit) tools.append(button(all, () => draw(text, Infinity)));
  };
  draw(isJson ? indented(sent) : sent, FIRST);
  return [tools, area];
}

async function copy(text) {
  setText("snippet", text);
  show("snippet", true);
  const isCopied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  if (!isCopied) getSelection().selectAllChildren(byId("snippet"));
  setText("copied", isCopied ? "copied" : "selected: press Ctrl+C");
}
