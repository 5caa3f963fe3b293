// Reads the payouts of an affiliate account and judges them.

import { setTimeout as delay } from "node:timers/promises";

const LIVE = "https://proxy.webshare.io";
const DAY = 24 * 60 * 60 * 1000;

export class ApiError extends Error {
  constructor(status, body) {
    super(`${status}: ${body?.detail ?? JSON.stringify(body)}`);
    this.name = "ApiError";
    this.status = status;
    this.code = body?.code ?? null;
  }
}

export class Client {
  constructor({
    apiKey = process.env.WEBSHARE_API_KEY,
    baseUrl = process.env.WEBSHARE_BASE_URL || LIVE,
    attempts = 3,
    timeout = 10_000,
    sleep = delay,
  } = {}) {
    if (!apiKey) throw new TypeError("an API key is required; set WEBSHARE_API_KEY");
    Object.assign(this, { apiKey, attempts, timeout, sleep, root: `${baseUrl.replace(/\/$/, "")}/api/v2/referral` });
  }

  config() {
    return this.get(`${this.root}/config/`);
  }

  async *rows(resource, filters = {}) {
    let url = `${this.root}/${resource}/?${new URLSearchParams({ page_size: "50", ...filters })}`;
    while (url) {
      const page = await this.get(url);
      yield* page.results;
      url = page.next;
    }
  }

  async get(url) {
    let last;
    for (let attempt = 1; attempt <= this.attempts; attempt += 1) {
      let wait = 250 * 2 ** (attempt - 1);
      try {
        const response = await fetch(url, {
          headers: { Authorization: `Token ${this.apiKey}`, Accept: "application/json" },
          signal: AbortSignal.timeout(this.timeout),
        });
        if (response.ok) return await response.json();
        const text = await response.text();
        last = new ApiError(response.status, parse(text) ?? { detail: response.statusText });
        if (response.status === 429) wait = 1000 * Number(response.headers.get("retry-after") ?? 1);
        else if (response.status < 500) throw last;
      } catch (error) {
        if (error === last) throw error;
        last = error;
      }
      if (attempt < this.attempts) await this.sleep(wait);
    }
    throw last;
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function collect(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}

const cents = (rows) => rows.reduce((sum, row) => sum + Math.round(row.amount * 100), 0);

/** Returns what there is to say about the account: totals and a list of problems. */
export async function check(client, { now = new Date(), stuckAfterDays = 7, failedWithinDays = 30 } = {}) {
  const config = await client.config();
  const earnouts = await collect(client.rows("earnout"));
  const pending = await collect(client.rows("credit", { mode: "payout", status: "pending" }));

  const problems = [];
  if (config.mode === "payout" && !config.paypal_payout_email) problems.push("there is no PayPal address");
  if (config.id_verification_required) problems.push("the account has to be verified");
  for (const { id, status, error_reason: reason, created_at: created } of earnouts) {
    const age = (now - new Date(created)) / DAY;
    if (status === "failed" && age <= failedWithinDays) problems.push(`earn-out ${id} failed: ${reason ?? "no reason given"}`);
    else if (status === "processing" && age > stuckAfterDays)
      problems.push(`earn-out ${id} has been processing since ${created.slice(0, 10)}`);
  }
  return {
    paid: cents(earnouts.filter((each) => each.mode === "payout" && each.status === "completed")),
    underway: cents(earnouts.filter((each) => each.status === "processing")),
    pending: cents(pending),
    due: Math.round(config.payouts_earned * 100),
    reachesMinimum: config.payouts_earned >= config.minimum_earn_out_amount,
    next: config.next_earn_out_date,
    problems,
  };
}
