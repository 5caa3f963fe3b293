// Elements of the document, made with text and attributes only, never from HTML.

export const byId = (id) => document.getElementById(id);
export const on = (id, type, action) => byId(id).addEventListener(type, action);
export const show = (id, isShown) => byId(id).toggleAttribute("hidden", !isShown);
export const setChildren = (id, ...children) => byId(id).replaceChildren(...children);

// The same text stays, and a selection in it.
export function setText(target, text) {
  const found = typeof target === "string" ? byId(target) : target;
  if (found.textContent !== text) found.textContent = text;
}

// make("td", { class: "ms" }, "0.3"); attributes that are null are left out.
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function button(label, action, attributes = {}) {
  const made = make("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", action);
  return made;
}

export const tableRow = (attributes, head, ...cells) =>
  make("tr", attributes, make("th", { scope: "row" }, head), ...cells.map((each) => make("td", {}, each)));

// A stacked bar of [value, number, title], which are parts of a whole.
export function bar(parts, whole) {
  const made = parts.filter(([, number]) => number > 0).map(([value, number, title]) => {
    const part = make("span", { "data-value": value, title });
    part.style.width = `${(100 * number) / whole}%`;
    return part;
  });
  return make("div", { class: "bar" }, ...made);
}
