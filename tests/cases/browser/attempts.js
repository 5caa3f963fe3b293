// What a page tries against the control plane at `base`. The value is, for each attempt, what the page
// could learn: "denied", or whatever it could read. `key` names the world that is to be changed.
async (base, key) => {
  const root = `${base}/__mock__/`;
  const authorization = { Authorization: `Token ${key}` };
  const json = { ...authorization, "Content-Type": "application/json" };
  const learned = {};

  const attempt = async (name, act) => {
    try {
      learned[name] = (await act()) ?? "denied";
    } catch {
      learned[name] = "denied";
    }
  };
  const read = async (path, options) => {
    const response = await fetch(root + path, options);
    const text = await response.text();
    return response.ok ? `${response.status} ${text}` : null;
  };
  const loaded = (element, attribute, path) =>
    new Promise((resolve) => {
      element.onload = () => resolve("loaded");
      element.onerror = () => resolve(null);
      element[attribute] = root + path;
      document.body.append(element);
      setTimeout(() => resolve(null), 1000);
    });
  const framed = (frame) =>
    new Promise((resolve) => {
      frame.onload = () => resolve(frame.contentDocument?.body.innerText || null);
      setTimeout(() => resolve(null), 1000);
    });
  const submitted = (method, enctype, path) => {
    const frame = document.createElement("iframe");
    frame.name = `frame-${Math.random()}`;
    const form = document.createElement("form");
    Object.assign(form, { method, enctype, action: root + path, target: frame.name });
    const input = document.createElement("input");
    Object.assign(input, { name: '{"status":503,"detail":"', value: '"}' });
    form.append(input);
    document.body.append(frame, form);
    const answer = framed(frame);
    form.submit();
    return answer;
  };

  await attempt("read state", () => read("state", { headers: authorization }));
  await attempt("read health", () => read("health"));
  await attempt("read requests", () => read("requests"));
  await attempt("read scenarios with cookies", () => read("scenarios", { credentials: "include" }));
  await attempt("read opaquely", () => read("version", { mode: "no-cors" }));
  await attempt("read by XMLHttpRequest", () => new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.onloadend = () => resolve(request.status === 200 ? request.responseText : null);
    request.open("GET", `${root}version`);
    request.send();
  }));
  await attempt("read as a script", () => loaded(document.createElement("script"), "src", "worlds"));
  await attempt("read as an image", () => loaded(new Image(), "src", "health"));
  await attempt("read as a style sheet", () =>
    loaded(Object.assign(document.createElement("link"), { rel: "stylesheet" }), "href", "version"));
  await attempt("read in a frame", () => {
    const frame = Object.assign(document.createElement("iframe"), { src: `${root}version` });
    document.body.append(frame);
    return framed(frame);
  });
  await attempt("read the newest requests", () => read("activity?after=0"));
  await attempt("read the worlds, by another spelling", async () => {
    const response = await fetch(`${base}/%5f_mock__/worlds`);
    return response.ok ? response.text() : null;
  });
  await attempt("read the page", () => read(""));
  await attempt("load a module of the page", () => loaded(document.createElement("script"), "src", "page/api.js"));
  await attempt("frame the page", () => {
    const frame = Object.assign(document.createElement("iframe"), { src: root });
    document.body.append(frame);
    return framed(frame);
  });
  await attempt("read as events", () => new Promise((resolve) => {
    const events = new EventSource(`${root}requests`);
    events.onmessage = ({ data }) => resolve(data);
    events.onerror = () => { events.close(); resolve(null); };
  }));

  await attempt("set a fault", () =>
    read("faults", { method: "POST", headers: json, body: '{"status":503}' }));
  await attempt("set a fault as plain text", () =>
    read("faults", { method: "POST", body: '{"status":503}', headers: { "Content-Type": "text/plain" } }));
  await attempt("set a fault opaquely", () =>
    read("faults", { method: "POST", mode: "no-cors", body: '{"status":503}' }));
  await attempt("set a fault by a beacon", () =>
    navigator.sendBeacon(`${root}faults`, new Blob(['{"status":503}'], { type: "text/plain" })) && null);
  for (const enctype of ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]) {
    await attempt(`set a fault by a form as ${enctype}`, () => submitted("post", enctype, "faults"));
    await attempt(`reset by a form as ${enctype}`, () => submitted("post", enctype, "reset"));
  }
  await attempt("reset by a form that gets", () => submitted("get", "text/plain", "reset"));
  await attempt("reset by a beacon", () => navigator.sendBeacon(`${root}reset`) && null);
  await attempt("reset opaquely", () => read("reset", { method: "POST", mode: "no-cors" }));
  await attempt("reset as an image", () => loaded(new Image(), "src", "reset"));
  await attempt("forget all worlds", () => read("worlds", { method: "DELETE" }));
  await attempt("change settings", () =>
    read("settings", { method: "PUT", headers: json, body: '{"max_page_size":1}' }));
  await attempt("reset", () => read("reset", { method: "POST", headers: authorization, keepalive: true }));
  return learned;
}
