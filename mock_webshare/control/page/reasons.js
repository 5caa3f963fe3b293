// Why a response is not the ordinary one.

const COUNTS = ["id", "seen", "struck", "left", "warning"];
let meanings = {};

// Sentences of the server by code; a code without one is shown unchanged.
export function setMeanings(given) {
  meanings = given;
}

// "status 503, probability 0.15"
export const describeFault = (fault) =>
  Object.entries(fault).filter(([name]) => !COUNTS.includes(name))
    .map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");

// `faults` are those of now; a hint says more.
export function reasonsFor({ reason, hint, status, waiting }, faults) {
  const codes = reason.split(" ").filter((code) => (hint ? /^fault/ : /./).test(code));
  const none = waiting ? "waiting for its response" : status === null && "no response was sent";
  return [...codes.map((code) => meaningOf(code, faults)), hint, none].filter(Boolean);
}

function meaningOf(code, faults) {
  const [name, ...detail] = code.split(":");
  if (name !== "fault") return meanings[name] ?? code;
  const fault = faults.find(({ id }) => id === Number(detail));
  return `fault ${detail}${fault ? `: ${describeFault(fault)}` : ", which was removed"}`;
}

// Somebody has to look: a fault, an error of the server, or no response.
export const isAlarm = ({ status, waiting, faults }) => !waiting && (faults.length > 0 || status === null || status >= 500);
export const isProblem = (entry) => isAlarm(entry) || entry.reason !== "" || entry.status >= 400;
export const statusText = (entry) => (entry.waiting ? "…" : `${isAlarm(entry) ? "▲ " : ""}${entry.status ?? "none"}`);
