// Ask a URL with each of some keys, and say in JSON of each key which error there was, or none.
const [url, timeout, ...keys] = process.argv.slice(2);

async function ask(key) {
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
for (const key of keys) said[key] = await ask(key);
console.log(JSON.stringify(said));
