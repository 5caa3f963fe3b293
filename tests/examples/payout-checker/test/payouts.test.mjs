import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ApiError, Client, check } from "../lib/payouts.mjs";
import { World, emptyWorld } from "../support/world.mjs";

const NOW = new Date("2026-03-16T16:00:00Z");
const PROGRAM = fileURLToPath(new URL("../bin/check-payouts.mjs", import.meta.url));

function run(env) {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
  });
}

test("a healthy account has no problems", async () => {
  const world = new World();
  const report = await check(world.client(), { now: NOW });
  assert.deepEqual(report.problems, []);
  assert.ok(report.paid > 0);
  assert.equal(report.reachesMinimum, false);
  assert.match(report.next, /^2026-03-19T/);
});

test("all pages of the earn-outs are read", async () => {
  const world = emptyWorld();
  for (let amount = 1; amount <= 60; amount += 1) await world.call("POST", "earnouts", { amount });
  const report = await check(world.client(), { now: NOW });
  assert.equal(report.paid, 183_000);
  const { count } = await world.call("POST", "requests/count", { method: "GET", path: "/api/v2/referral/earnout/" });
  assert.equal(count, 2);
});

test("a failed earn-out is a problem", async () => {
  const world = new World();
  const { id } = await world.call("POST", "earnouts", { amount: 20, status: "failed", error_reason: "Account closed" });
  const report = await check(world.client(), { now: NOW });
  assert.deepEqual(report.problems, [`earn-out ${id} failed: Account closed`]);
});

test("an old failure is no problem any more", async () => {
  const world = emptyWorld();
  await world.call("POST", "earnouts", { status: "failed", error_reason: "x", created_at: "2026-01-08T09:00:00-08:00" });
  assert.deepEqual((await check(world.client(), { now: NOW })).problems, []);
  assert.equal((await check(world.client(), { now: NOW, failedWithinDays: 90 })).problems.length, 1);
});

test("an earn-out that is processed for too long is a problem", async () => {
  const world = new World();
  const row = { amount: 30, status: "processing", created_at: "2026-03-12T09:00:00-07:00" };
  const { id } = await world.call("POST", "earnouts", row);
  const soon = await check(world.client(), { now: NOW });
  assert.deepEqual([soon.underway, soon.problems], [3000, []]);
  const late = await check(world.client(), { now: new Date("2026-03-20T16:00:00Z") });
  assert.deepEqual(late.problems, [`earn-out ${id} has been processing since 2026-03-12`]);
});

test("a payout without an address is a problem", async () => {
  const world = new World();
  await world.call("PATCH", "config", { paypal_payout_email: null, id_verification_required: true });
  const { problems } = await check(world.client(), { now: NOW });
  assert.deepEqual(problems, ["there is no PayPal address", "the account has to be verified"]);
});

test("a purchase is pending, then due, then paid", async () => {
  const world = emptyWorld();
  await world.call("POST", "purchases", { amount: 90 });
  assert.equal((await check(world.client())).pending, 1800);

  await world.call("PUT", "clock", { advance: "P30D" });
  const ripe = await check(world.client());
  assert.deepEqual([ripe.pending, ripe.due, ripe.reachesMinimum], [0, 1800, true]);

  await world.call("PUT", "clock", { advance: "P9D" });
  const paid = await check(world.client());
  assert.deepEqual([paid.paid, paid.due, paid.reachesMinimum], [1800, 0, false]);
});

test("only pending payouts are asked for", async () => {
  const world = new World();
  await check(world.client(), { now: NOW });
  const { requests } = await world.call("GET", "requests");
  const { query } = requests.map(({ request }) => request).find(({ path }) => path.endsWith("/credit/"));
  assert.deepEqual(query, { page_size: ["50"], mode: ["payout"], status: ["pending"] });
});

test("Retry-After is respected", async () => {
  const world = new World();
  await world.call("POST", "faults", { status: 429, retryAfter: 9, times: 1 });
  await world.client().config();
  assert.deepEqual(world.naps, [9000]);
});

for (const fault of ["CONNECTION_RESET_BY_PEER", "TRUNCATED_BODY", "MALFORMED_JSON"]) {
  test(`a response is requested again after ${fault}`, async () => {
    const world = new World();
    await world.call("POST", "faults", { fault, times: 1, path: "/api/v2/referral/config/" });
    assert.equal((await world.client().config()).mode, "payout");
    assert.equal(world.naps.length, 1);
  });
}

test("a lasting outage is an error", async () => {
  const world = new World(`scenario:down:${Math.random()}`);
  await assert.rejects(world.client().config(), { name: "ApiError", status: 502 });
  assert.deepEqual(world.naps, [250, 500]);
});

test("a slow service is given up", async () => {
  const world = new World();
  await world.call("POST", "faults", { fixedDelayMilliseconds: 1500 });
  await assert.rejects(world.client({ timeout: 100, attempts: 2 }).config(), { name: "TimeoutError" });
});

test("a suspended account is not asked twice", async () => {
  const world = new World();
  await world.call("POST", "faults", { status: 403, code: "account_suspended" });
  const error = await world.client().config().catch((caught) => caught);
  assert.ok(error instanceof ApiError);
  assert.equal(error.code, "account_suspended");
  assert.deepEqual(world.naps, []);
});

test("a key is required", () => {
  assert.throws(() => new Client({ apiKey: "" }), /WEBSHARE_API_KEY/);
});

test("the program reports by its exit code", async () => {
  const world = emptyWorld();
  const good = await run(world.env());
  assert.deepEqual([good.code, good.stderr], [0, ""]);
  assert.equal(good.stdout, "paid $0.00, under way $0.00, pending $0.00\ndue on 2026-03-19: nothing yet\n");

  const { now: today } = await world.call("PUT", "clock", { now: new Date().toISOString() });
  const failed = { amount: 20, status: "failed", error_reason: "Account closed", created_at: today };
  await world.call("POST", "earnouts", failed);
  const bad = await run(world.env());
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /^problem: earn-out \d+ failed: Account closed$/m);

  const refused = await run({ ...world.env(), WEBSHARE_API_KEY: "invalid" });
  assert.deepEqual([refused.code, refused.stderr], [2, "Webshare says 401: Invalid token.\n"]);
});
