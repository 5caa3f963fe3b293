// Which world is shown: one that was picked, or the newest.

import { get } from "./api.js";
import { byId, make, on, setText, show } from "./dom.js";
import { count } from "./format.js";

const [MOST_SWITCHES, MILLISECONDS, OTHER] = [3, 10000, "not followed: requests to another world"];
let [chosen, server, switches, changed] = [null, null, [], () => {}];

// The id of the world that is shown; null: the requests without a known key.
export const current = () => chosen;

// The id of the world that was picked; null while the newest is followed.
export const pinned = () => (byId("follow").checked ? null : chosen);

// `id` is null to follow the newest; `selected` runs when another world is shown.
export function start(id, selected) {
  [chosen, changed] = [id, selected];
  follow(id === null);
  on("world-select", "change", () => pick(byId("world-select").value || null));
  on("show-keyless", "click", () => pick(null));
  on("follow", "change", async () => {
    follow(byId("follow").checked);
    await refresh();
  });
}

export async function refresh() {
  const worlds = await get("worlds?limit=50");
  if (server !== null && worlds.server !== server) follow(true);
  server = worlds.server;
  const newest = worlds.list.find((each) => each.last_request) ?? worlds.list[0];
  if (byId("follow").checked && newest && newest.id !== chosen) switchTo(newest.id);
  drawSelect(worlds);
  show("keyless", worlds.keyless > 0 && chosen !== null);
  setText("keyless-count", `${count(worlds.keyless, "request")} came without a known key.`);
}

// `newest` is the id of the world used last.
export function notice(newest) {
  if (!byId("follow").checked && newest !== null && newest !== chosen) setText("follow-note", OTHER);
}

// Leave a world that is gone for the newest; return whether there is something else to show.
export async function leave() {
  const left = chosen;
  await refresh();
  if (byId("follow").checked && chosen === left) choose(null);
  return chosen !== left;
}

function pick(id) {
  follow(false);
  choose(id);
}

function follow(isOn) {
  byId("follow").checked = isOn;
  setText("follow-note", "");
  switches = [];
}

function switchTo(id) {
  switches = [...switches, Date.now()].filter((time) => time > Date.now() - MILLISECONDS);
  if (switches.length <= MOST_SWITCHES) return choose(id);
  follow(false);
  setText("follow-note", OTHER);
}

function choose(id) {
  if (id === chosen) return;
  chosen = id;
  changed();
}

function drawSelect({ list, keyless }) {
  const names = list.map(({ id, name, last_request: last }) => [id, [name, last?.agent].filter(Boolean).join(" · ")]);
  if (chosen !== null && !list.some(({ id }) => id === chosen)) names.push([chosen, `world ${chosen}`]);
  names.push(["", `requests without a known key: ${keyless}`]);
  const select = byId("world-select");
  const options = names.map(([value, text]) => make("option", { value }, text));
  if (!select.matches(":focus")) select.replaceChildren(...options); // an open list stays
  select.value = chosen ?? "";
}
