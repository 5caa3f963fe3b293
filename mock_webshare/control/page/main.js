// Asks once a second what is new, for all sections. An error of one of them stays there.

import * as account from "./account.js";
import * as api from "./api.js";
import * as controls from "./controls.js";
import * as coverage from "./coverage.js";
import * as detail from "./detail.js";
import { byId, setText } from "./dom.js";
import { count, isProblem, localTime } from "./format.js";
import * as requests from "./requests.js";
import * as worlds from "./worlds.js";

const [BUSY, IDLE, HIDDEN, IDLE_AFTER] = [1000, 3000, 5000, 60000];
const [ANNOUNCE_AFTER, RECOVER_AFTER, COUNT_AFTER] = [5000, 5000, 3000];
const BACK_OFF = [1000, 2000, 4000, 10000];
let known = null; // the last `activity` of the world that is shown
let summary = null;
let [timer, isPolling, isWanted, failures, news] = [0, false, false, 0, []];
let [reachedAt, changedAt, summaryAt, announcedAt] = [Date.now(), Date.now(), 0, 0];
let [counted, countedAt] = [null, 0]; // the newest request in the coverage
const held = (read) => JSON.stringify([read?.totals, read?.next]); // without it, the months are the same

function guarded(section, draw) {
  try {
    draw();
    setText(`${section}-error`, "");
  } catch (error) {
    setText(`${section}-error`, `This part cannot be shown: ${error}`);
  }
}

async function step() {
  const [world, isFirst] = [worlds.current(), known === null];
  const isQuiet = !isFirst && (document.hidden || !requests.isAtNewest());
  const [after, limit] = isFirst ? [0, 200] : isQuiet ? [requests.newestNumber(), 0] : [requests.after(), 100];
  const activity = await api.get(`activity?after=${after}&limit=${limit}`, world);
  if (world !== worlds.current()) return;
  if (!isFirst && (activity.server !== known.server || activity.journal !== known.journal)) return forget();
  document.title = document.hidden && activity.skipped ? `(${activity.skipped}) mock-webshare` : "mock-webshare";
  if (document.hidden) return;
  const isChanged = isFirst || activity.version !== known.version;
  if (isFirst || activity.newest !== known.newest || activity.keyless !== known.keyless) await worlds.refresh();
  if (world === worlds.current() && (isChanged || isRecovering())) await summarize(world);
  if (world !== worlds.current()) return;
  if (isChanged) changedAt = Date.now();
  if (isQuiet) requests.announceNew(activity.skipped);
  else guarded("requests", () => updateRequests(activity));
  requests.tick();
  worlds.notice(activity.newest);
  await measure(world, activity.next);
  known = activity;
}

// Not at each request, for the server reads it.
async function measure(world, newest) {
  if (newest === counted || Date.now() - countedAt < COUNT_AFTER) return;
  const found = await api.get("coverage", world);
  [counted, countedAt] = [newest, Date.now()];
  if (world === worlds.current()) guarded("coverage", () => coverage.draw(found));
}

async function summarize(world) {
  const before = held(summary);
  summary = world === null ? null : await api.get("summary", world);
  summaryAt = Date.now();
  if (held(summary) !== before || known === null) {
    const earnings = summary && (await api.get("earnings", world));
    guarded("months", () => account.drawMonths(earnings));
  }
  guarded("world", () => {
    account.draw(summary);
    if (summary) controls.draw(summary);
  });
}

// Time changes the summary: the clock runs, or the rate limit recovers.
function isRecovering() {
  if (summary === null || Date.now() - summaryAt < RECOVER_AFTER) return false;
  const { rate, clock, left } = summary.rate_limit;
  return summary.clock.running || (clock === "real" && left < parseInt(rate, 10));
}

function updateRequests(activity) {
  const { added, amended } = requests.update(activity.requests, activity.next);
  if (amended.includes(detail.shownNumber())) openRequest(detail.shownNumber(), false);
  if (known !== null) news.push(...added.map(isProblem));
  if (!news.length || Date.now() - announcedAt < ANNOUNCE_AFTER) return;
  setText("announcement", `${count(news.length, "new request")}, ${count(news.filter(Boolean).length, "problem")}`);
  [news, announcedAt] = [[], Date.now()];
}

// Another world is shown, or its journal is a new one.
function forget() {
  known = summary = counted = null;
  countedAt = 0;
  detail.hide();
  requests.reset();
  history.replaceState(null, "", worlds.pinned() === null ? location.pathname : `#world=${worlds.pinned()}`);
  poll();
}

const openRequest = (number, isFocused) => detail.open(number, worlds.current(), isFocused);
const closeRequest = (number) => byId("rows").querySelector(`[data-number="${number}"] button`)?.focus();

function setState(text, isFailing) {
  setText("state", `${isFailing ? "▲" : "●"} ${text}`);
  document.body.classList.toggle("stale", isFailing);
}

async function fail(problem) {
  failures += 1;
  const isGone = problem.status === 404 && worlds.current() !== null;
  if (isGone && (await worlds.leave())) return;
  const reason = isGone ? "this world is gone" : problem.message;
  setState(problem.status === 0 ? `not reached since ${localTime(reachedAt)}` : reason, true);
}

async function poll() {
  isWanted = true;
  if (isPolling) return;
  clearTimeout(timer);
  isPolling = true;
  while (isWanted) {
    isWanted = false;
    await step().then(() => {
      [failures, reachedAt] = [0, Date.now()];
      setState("live", false);
      setText("server-version", api.serverVersion() ?? "");
    }).catch(fail).catch(() => {});
  }
  isPolling = false;
  const pause = document.hidden ? HIDDEN : Date.now() - changedAt > IDLE_AFTER ? IDLE : BUSY;
  timer = setTimeout(poll, failures ? BACK_OFF[Math.min(failures, BACK_OFF.length) - 1] : pause);
}

api.start(poll);
setText("base-url", api.base);
setText("first-curl", `curl -H "Authorization: Token any" ${api.base}/api/v2/referral/credit/`);
setText("first-python", `Webshare(api_key="any", base_url="${api.base}").referral.list_credits()`);
controls.start(worlds.current, poll);
requests.start((number) => openRequest(number, true), poll);
detail.start(closeRequest);
worlds.start(new URLSearchParams(location.hash.slice(1)).get("world"), forget);
document.addEventListener("visibilitychange", poll);
poll();
