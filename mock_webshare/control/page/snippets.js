// Requests and actions as curl, Python, an assertion.

const KEY = '-H "Authorization: Token $WEBSHARE_API_KEY"';
const TOKEN = '-H "Mock-Webshare-Token: $MOCK_WEBSHARE_CONTROL_TOKEN"';
const NOT_COPIED = /^(host|authorization|content-length|connection|accept-encoding|transfer-encoding)$/i;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const KEYWORD = new RegExp("^(False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|" +
  "finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)$");
const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function python(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map((pair) => pair.map(python).join(": ")).join(", ")}}`;
}

// Names that Python does not take go into `**{…}`.
function call(method, args, fields) {
  const isName = ([name]) => NAME.test(name) && !KEYWORD.test(name);
  const named = fields.filter(isName).map(([name, value]) => `${name}=${python(value)}`);
  const others = fields.filter((pair) => !isName(pair));
  if (others.length) named.push(`**${python(Object.fromEntries(others))}`);
  return `webshare_mock.${method}(${[...args.map(python), ...named].join(", ")})`;
}

const curl = (method, ...parts) => ["curl", method !== "GET" && `-X ${quoted(method)}`, ...parts].filter(Boolean).join(" ");

export function actionAsCurl({ method, path, body }, root, hasToken) {
  const sent = body && `-H "Content-Type: application/json" -d ${quoted(JSON.stringify(body))}`;
  return curl(method, KEY, hasToken && TOKEN, sent, quoted(root + path));
}

export const actionAsPython = ({ name, args = [], body = {} }) => call(name, args, Object.entries(body));

const copied = ({ headers }) => headers.filter(([name]) => !NOT_COPIED.test(name));
const hasKey = ({ headers }) => headers.some(([name]) => /^authorization$/i.test(name));

// A variable replaces the key.
export function requestAsCurl(request) {
  const headers = copied(request).map((pair) => `-H ${quoted(pair.join(": "))}`);
  const body = request.body && `--data-binary ${quoted(request.body)}`;
  return curl(request.method, hasKey(request) && KEY, ...headers, body, quoted(request.url));
}

export function requestAsPython(request) {
  const headers = copied(request).map((pair) => `(${pair.map(python).join(", ")})`);
  if (hasKey(request)) headers.unshift('("Authorization", f"Token {os.environ[\'WEBSHARE_API_KEY\']}")');
  const lines = [python(request.method), python(request.url), `headers=[${headers.join(", ")}]`];
  if (request.body) lines.push(`content=${python(request.body)}.encode()`);
  return `import os\n\nimport httpx\n\nresponse = httpx.request(\n${lines.map((line) => `    ${line},\n`).join("")})`;
}

export const requestAsAssertion = ({ method, path, query }) => call("assert_requested", [method, path],
  Object.entries(query).map(([name, values]) => [name, values.length === 1 ? values[0] : values]));
