// The account of one test on the mock server, arranged by the control plane.

import { randomUUID } from "node:crypto";
import { Client } from "../lib/payouts.mjs";

const base = process.env.WEBSHARE_BASE_URL;
if (!base) throw new Error("run the tests with: mock-webshare run -- node --test");

export class World {
  constructor(key = `test-${randomUUID()}`) {
    this.key = key;
    this.naps = [];
  }

  async call(method, path, body) {
    const response = await fetch(`${base}/__mock__/${path}`, {
      method,
      headers: { Authorization: `Token ${this.key}`, "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
    return text ? JSON.parse(text) : null;
  }

  client(options = {}) {
    return new Client({ apiKey: this.key, sleep: async (wait) => this.naps.push(wait), ...options });
  }

  env() {
    return { ...process.env, WEBSHARE_API_KEY: this.key };
  }
}

/** An account without credits. */
export const emptyWorld = () => new World(`scenario:empty:${randomUUID()}`);
