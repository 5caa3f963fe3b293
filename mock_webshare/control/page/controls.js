// What changes a world: clock, faults, reset. Each action is shown in code, too.

import { hasToken, root, send } from "./api.js";
import { button, byId, make, on, setChildren, setText, show } from "./dom.js";
import { worldTime } from "./format.js";
import { actionAsCurl, actionAsPython } from "./snippets.js";

const STEPS = { "+1 hour": "PT1H", "+1 day": "P1D", "+30 days": "P30D" };
const PRESETS = {
  "one 503": { status: 503, times: 1 },
  "two 429": { status: 429, times: 2, retryAfter: 1 },
  "slow, 2 s": { fixedDelayMilliseconds: 2000 },
  "cut off once": { fault: "CONNECTION_RESET_BY_PEER", times: 1 },
};
const clock = (body) => ({ method: "PUT", path: "clock", name: "set_clock", body });
const adding = (body) => ({ method: "POST", path: "faults", name: "add_fault", body });
const removing = (id) => ({ method: "DELETE", path: `faults/${id}`, name: "remove_fault", args: [id] });
let [world, changed] = [() => null, () => {}];

export function start(current, done) {
  [world, changed] = [current, done];
  const buttons = (table, action) => Object.entries(table).map(([label, value]) => button(label, () => act(action(value))));
  setChildren("clock-steps", ...buttons(STEPS, (advance) => clock({ advance })));
  setChildren("fault-presets", ...buttons(PRESETS, adding));
  on("clock-run", "click", () => act(clock({ running: byId("clock-run").textContent === "run" })));
  on("clock-form", "submit", (event) => {
    event.preventDefault();
    act(clock({ now: byId("clock-now").value.trim() }));
  });
  on("reset", "click", () => {
    byId("reset-question").open = false;
    act({ method: "POST", path: "reset", name: "reset" });
  });
}

export function draw({ clock: { now, running }, faults, rate_limit: limit }) {
  setText("clock-time", worldTime(now));
  setText("clock-state", running ? "runs" : "stands still");
  setText("clock-run", running ? "freeze" : "run");
  setText("rate-limit", limit.left === null ? limit.rate : `${limit.rate}, ${limit.left} left`);
  drawFaults(faults);
}

// Lines stay as long as the faults do, so that a button does not vanish under the pointer.
function drawFaults(faults) {
  const lines = byId("fault-list").children;
  const isSame = faults.length === lines.length && faults.every(({ id }, at) => lines[at].dataset.id === String(id));
  if (!isSame) setChildren("fault-list", ...faults.map(faultLine));
  show("no-faults", faults.length === 0);
  faults.forEach(({ seen, struck, left }, at) =>
    setText(lines[at].children[1], `struck ${struck} of ${seen} matching${left === null ? "" : `, ${left} left`}`));
}

const faultLine = (fault) => make("li", { "data-id": fault.id }, make("b", {}, `${fault.id} `), `${fault.text} · `,
  make("span"), " ", button("×", () => act(removing(fault.id)), { "aria-label": `remove fault ${fault.id}` }));

async function act(action) {
  setText("code", `${actionAsCurl(action, root, hasToken())}\n\n${actionAsPython(action)}`);
  show("code", true);
  if (byId("only-code").checked) return setText("done", "not done, only shown");
  byId("follow").checked = false;
  const sent = send(action.method, action.path, world(), action.body);
  setText("done", await sent.then(() => "done", (problem) => `not done: ${problem.message}`));
  return changed();
}
