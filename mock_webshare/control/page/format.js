// Numbers, times, responses and JSON as texts.

const DAY = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };
const ZONE = { timeZone: "America/Los_Angeles", timeZoneName: "short", hourCycle: "h23" };
const WORLD = new Intl.DateTimeFormat("en-US", { ...DAY, ...ZONE });
const LOCAL = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const DEEPEST = 40;

export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
export const amount = (usd) => usd.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
export const milliseconds = (value) => (value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en"));
export const short = (path) => path.replace("/api/v2/referral/", "");
export const localTime = (time) => LOCAL.format(new Date(time));
export const worldTime = (time) => WORLD.format(new Date(time)); // Mar 16, 2026, 09:00 PDT

// How long ago it was, or the time of day if that is more than a minute.
export function ago(text) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(text)) / 1000));
  return seconds < 60 ? `${seconds} s ago` : localTime(text);
}

// Somebody has to look: a fault, an error of the server, or no response.
export const isAlarm = ({ status, waiting, faults }) => !waiting && (faults.length > 0 || status === null || status >= 500);
export const isProblem = (entry) => isAlarm(entry) || entry.why.length > 0 || entry.status >= 400;
export const statusText = (entry) => (entry.waiting ? "…" : `${isAlarm(entry) ? "▲ " : ""}${entry.status ?? "none"}`);

// JSON, indented: only white space differs, so that numbers stay as they were sent.
export function indented(text) {
  let depth = 0;
  const line = () => `\n${"  ".repeat(Math.min(depth, DEEPEST))}`;
  return text.replace(/"(?:[^"\\]|\\.)*"|\[\s*\]|\{\s*\}|[[\]{},:]|\s+/gs, (token) => {
    if (token === "[" || token === "{") depth += 1;
    if (token === "]" || token === "}") depth = Math.max(0, depth - 1);
    if ("[{,".includes(token)) return token + line();
    if ("]}".includes(token)) return line() + token;
    return token === ":" ? ": " : /^\s/.test(token) ? "" : token;
  });
}
