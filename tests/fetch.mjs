// Ask a URL with each of some keys, KEY=TIMEOUT, and say in JSON of each key which error there was, or none.
const [url, ...asked] = process.argv.slice(2);

async function ask(key, timeout) {
  const headers = { Authorization: `Token ${key}` };
  try {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(Number(timeout)) });
    await answer.json();
    return "none";
  } catch (error) {
    return String(error);
  }
}

const said = {};
for (const each of asked) {
  const [key, timeout] = each.split("=");
  said[key] = await ask(key, timeout);
}
console.log(JSON.stringify(said));
