#!/usr/bin/env node
// Prints the state of the payouts; exits with 0 if all is well, 1 if there are problems, 2 if it could not check.

import { ApiError, Client, check } from "../lib/payouts.mjs";

const dollars = (cents) => `$${(cents / 100).toFixed(2)}`;

try {
  const report = await check(new Client());
  console.log(`paid ${dollars(report.paid)}, under way ${dollars(report.underway)}, pending ${dollars(report.pending)}`);
  console.log(`due on ${report.next.slice(0, 10)}: ${report.reachesMinimum ? dollars(report.due) : "nothing yet"}`);
  for (const problem of report.problems) console.error(`problem: ${problem}`);
  process.exitCode = report.problems.length ? 1 : 0;
} catch (error) {
  console.error(error instanceof ApiError ? `Webshare says ${error.message}` : error.message);
  process.exitCode = 2;
}
