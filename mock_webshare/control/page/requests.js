// The requests: a strip and rows, newest first, with a filter.

import { byId, button, make, on, setChildren, setText, show } from "./dom.js";
import { ago, count, isAlarm, isProblem, localTime, milliseconds, short, statusText } from "./format.js";

const [MOST_ROWS, WINDOW, IN_STRIP] = [500, 100, 200];
const entries = new Map(); // by number: { entry, row, text }
let [newest, open] = [0, () => {}];

// `opened` gets the number of a request to show; `grown` runs when the newest row comes into view.
export function start(opened, grown) {
  open = opened;
  on("filter", "input", filter);
  on("problems", "change", filter);
  on("clear-view", "click", () => {
    entries.clear();
    setChildren("rows", gap("Cleared in this tab only"));
  });
  on("new-rows", "click", () => {
    byId("rows-area").scrollTop = 0;
    byId("rows-area").focus();
    grown();
  });
  on("rows-area", "scroll", () => isAtNewest() && !byId("new-rows").hidden && grown());
}

export const isAtNewest = () => byId("rows-area").scrollTop < 8;
export const newestNumber = () => newest;
const latest = () => [...entries.values()].slice(-IN_STRIP).map(({ entry }) => entry);

// Ask for requests after this number: before the first that still waits for its response.
export function after() {
  const waiting = latest().filter((entry) => entry.waiting).map((entry) => entry.number - 1);
  return Math.max(Math.min(newest, ...waiting), newest - WINDOW, 0);
}

export function reset() {
  entries.clear();
  newest = 0;
  setChildren("rows");
  setChildren("strip");
  announceNew(0);
}

export function announceNew(number) {
  show("new-rows", number > 0);
  setText("new-rows", `${count(number, "new request")} ↑`);
}

// Insert and amend rows; return the new requests, and the numbers of the amended ones.
export function update(requests, next) {
  const added = requests.filter(({ number }) => number > newest);
  const amended = requests.filter(amend).map(({ number }) => number);
  added.forEach(insert);
  newest = next;
  announceNew(0);
  show("no-requests", next === 0);
  trim();
  filter();
  if (added.length || amended.length) drawStrip(latest());
  return { added, amended };
}

export function tick() {
  for (const { entry, row } of entries.values()) setText(row.children[1], ago(entry.at));
}

function amend(entry) {
  const known = entries.get(entry.number);
  if (!known || JSON.stringify(known.entry) === JSON.stringify(entry)) return false;
  const made = rowOf(entry);
  known.row.replaceWith(made.row);
  entries.set(entry.number, made);
  return true;
}

function insert(entry) {
  const missing = entry.number - newest - 1;
  if (missing > 0) byId("rows").prepend(gap(`${count(missing, "request")} not shown`));
  const made = rowOf(entry);
  entries.set(entry.number, made);
  byId("rows").prepend(made.row);
  newest = entry.number;
}

function trim() {
  const left = [...entries.keys()].slice(0, -MOST_ROWS);
  if (!left.length) return;
  left.forEach((number) => entries.delete(number));
  const last = entries.values().next().value.row;
  while (last.nextSibling) last.nextSibling.remove();
  last.after(gap(`${count(left.at(-1), "older request")} not shown`));
}

const gap = (text) => make("tr", { class: "gap" }, make("td", { colspan: 6 }, text));

function rowOf(entry) {
  const { number, at, method, target, ms, status } = entry;
  const why = entry.why.join(" · ");
  const [path, ...query] = short(target).split("?");
  const opener = button("", () => open(number), { class: "opener", title: target });
  const rest = query.length ? ` ?${query.join("?")}` : "";
  opener.append(make("b", {}, method), ` ${path}`, make("span", { class: "query" }, rest));
  const took = ms === null ? "" : milliseconds(ms);
  const cells = { number, when: ago(at), request: opener, status: statusText(entry), ms: took, why };
  const made = Object.entries(cells).map(([name, content]) => make("td", { class: name }, content));
  made[1].title = `${localTime(at)} (${at})`;
  const row = make("tr", { "data-number": number, class: isAlarm(entry) ? "alarm" : null }, ...made);
  return { entry, row, text: `${method} ${target} ${status ?? "none"} ${why}`.toLowerCase() };
}

function filter() {
  const wanted = byId("filter").value.trim().toLowerCase();
  let hidden = 0;
  for (const { entry, row, text } of entries.values()) {
    row.hidden = !text.includes(wanted) || (byId("problems").checked && !isProblem(entry));
    hidden += row.hidden;
  }
  setText("hidden-rows", hidden ? `${count(hidden, "request")} hidden by the filter.` : "");
}

// One bar for each request in order of arrival; the height is the logarithm of its milliseconds.
function drawStrip(shown) {
  setChildren("strip", ...shown.map((entry) => {
    const kind = isAlarm(entry) ? "alarm" : entry.status >= 400 ? "refused" : "";
    const made = make("span", { class: kind, title: `${entry.number}: ${statusText(entry)}` });
    made.style.height = `${Math.min(32, 4 + 7 * Math.log10(1 + 10 * (entry.ms ?? 0)))}px`;
    return made;
  }));
  const alarms = count(shown.filter(isAlarm).length, "alarm");
  byId("strip").setAttribute("aria-label", `The last ${count(shown.length, "request")}: ${alarms}`);
}
