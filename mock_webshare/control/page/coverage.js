// What was exercised, as a map: a row for each endpoint, a column for each aspect.

import { make, setChildren, setText, tableRow } from "./dom.js";
import { count, short } from "./format.js";

export function draw({ requests, dropped, endpoints }) {
  const names = [...new Set(endpoints.flatMap(({ aspects }) => Object.keys(aspects)))];
  const sum = (name) => endpoints.reduce((total, each) => total + each[name], 0);
  const cells = ({ endpoint, aspects }) => tableRow({}, endpoint, ...names.map((name) => cellOf(aspects[name])));
  const unused = endpoints.filter((each) => !each.covered).map(({ endpoint }) => short(endpoint));
  setText("coverage-sum", `${sum("covered")} of ${sum("total")}`);
  setText("unused", unused.length ? `; none of ${unused.join(" ")}` : "");
  setText("coverage-note", `by ${count(requests, "request")}${dropped ? `, ${dropped} not counted` : ""}`);
  setChildren("coverage-heads", ...["endpoint", ...names].map((text) => make("th", {}, text)));
  setChildren("coverage-rows", ...endpoints.map(cells));
  setChildren("missing-rows", ...endpoints.map(missingOf));
}

// "3/17", shaded by that share; an endpoint may not have the aspect.
function cellOf(aspect) {
  if (!aspect) return "";
  const made = make("span", {}, `${aspect.covered}/${aspect.total}`);
  made.style.background = `color-mix(in srgb, var(--accent) ${(40 * aspect.covered) / aspect.total}%, transparent)`;
  return made;
}

function missingOf({ endpoint, covered, aspects }) {
  const left = Object.entries(aspects).filter(([, { missing }]) => missing.length);
  const lines = left.map(([name, { missing }]) => make("p", {}, make("b", {}, name), ` ${missing.join(", ")}`));
  return tableRow({}, endpoint, make("div", {}, ...(covered ? lines : ["none of it requested"])));
}
