// A world: what it holds, what is next, what has changed, what each month earned.

import { bar, byId, make, setChildren, setText, show, tableRow } from "./dom.js";
import { amount, count, worldTime } from "./format.js";

// `summary` is null if there is no world.
export function draw(summary) {
  show("world-parts", summary !== null);
  setText("world-name", summary ? summary.world.name : "Requests without a known key have no world.");
  if (summary === null) return;
  const earned = summary.totals.filter((each) => each.amount !== null);
  const others = summary.totals.filter((each) => each.amount === null);
  const next = summary.next.slice(0, 3).map(({ at, text }) => `${worldTime(at).replace(/, \d{4}| P.T/g, "")}: ${text}`);
  if (summary.next.length > next.length) next.push("and more");
  const changed = summary.changed.join(" · ");
  setText("changes", changed ? `changed: ${changed}` : "unchanged since its start");
  byId("changes").classList.toggle("changed", changed !== "");
  setChildren("totals", ...earned.flatMap(rowsOf));
  setChildren("bar", ...earned.slice(0, 1).filter((each) => each.amount > 0).map(barOf));
  setText("other-totals", others.map((each) => count(each.count, each.singular)).join(" · "));
  setChildren("next-list", ...(next.length ? next : ["time changes nothing"]).map((text) => make("li", {}, text)));
}

function rowsOf({ resource, count: all, amount: whole, values }) {
  const row = (name, number, usd, kind) => tableRow({ class: kind }, name, number.toLocaleString("en"), amount(usd));
  const held = values.filter((each) => each.count > 0);
  return [row(resource, all, whole, "head"), ...held.map((each) => row(each.value, each.count, each.amount, null))];
}

const barOf = ({ values, amount: whole }) =>
  bar(values.map(({ value, amount: usd }) => [value, usd, `${value}: ${amount(usd)} USD`]), whole);

// `earnings` is null if there is no world.
export function drawMonths(earnings) {
  show("months", earnings !== null && earnings.rows.length > 0);
  if (byId("months").hidden) return;
  const columns = earnings.series.flatMap(columnsOf).filter(({ read }) => earnings.rows.some(read));
  const bars = columns.filter((each) => each.isBar);
  const sum = (row) => bars.reduce((total, { read }) => total + read(row), 0);
  const largest = Math.max(...earnings.rows.map(sum), 0.01);
  const heads = ["month", "chart", ...columns.map(({ title }) => title)];
  const rows = earnings.rows.map((row) => tableRow({ class: row.month === earnings.now ? "now" : null }, row.month,
    bar(bars.map(({ value, title, read }) => [value, read(row), `${title}: ${amount(read(row))} USD`]), largest),
    ...columns.map(({ read }) => (read(row) ? amount(read(row)) : "–"))));
  setChildren("months-heads", ...heads.map((text) => make("th", {}, text)));
  setChildren("months-rows", ...rows.reverse());
  const earlier = earnings.skipped ? ` ${count(earnings.skipped, "earlier month")} not shown.` : "";
  setText("months-note", `USD by the month of creation.${earlier}`);
}

// One column for each status, and one for what pending rows become in a month.
function columnsOf({ resource, values, becomes }) {
  const isBar = becomes !== null;
  const columns = values.map((value) => ({ value, isBar, title: isBar ? value : `${resource} ${value}`,
    read: ({ resources }) => resources[resource]?.created[value]?.amount ?? 0 }));
  const due = ({ resources }) => resources[resource]?.due.amount ?? 0;
  return isBar ? [...columns, { value: "due", isBar, title: `becomes ${becomes}`, read: due }] : columns;
}
