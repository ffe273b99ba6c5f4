// Builds elements. Text only ever becomes a text node, so nothing in a report is read as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An element of HTML with attributes, handlers (`onclick`) and children; null ones are left out. */
function el(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

/** The sign of a state; decoration only, for the state is always in words too. */
function mark(state) {
  return svg("svg", { class: `mark mark-${state}`, "aria-hidden": "true", focusable: "false" },
    svg("use", { href: `#mark-${MARK_OF[state] || state}` }));
}

/** A table whose cells are text or elements; the first cell of a row heads it. */
function table(heads, rows, attributes) {
  return el("div", { class: "scroll" }, el("table", { class: "plain", ...attributes },
    heads && el("thead", null,
      el("tr", null, heads.map((head) => el("th", { scope: "col" }, head)))),
    el("tbody", null, rows.map((row) => el("tr", null, row.map((cell, place) =>
      place ? el("td", null, cell) : el("th", { scope: "row" }, cell)))))));
}

/** Name and value pairs as a table without a head. */
function facts(pairs) {
  return table(null, pairs.map(([name, value]) => [words(name), shown(value)]), { class: "plain facts" });
}

/** A part of a panel under its heading; nothing where there is nothing to show. */
function part(heading, ...children) {
  const shown = children.flat(Infinity).filter(Boolean);
  return shown.length ? el("section", { class: "part" }, el("h3", null, heading), shown) : null;
}

function words(name) {
  return String(name).replaceAll("_", " ");
}

/** A kebab-case name as people write it. */
function spaced(name) {
  return name.replaceAll("-", " ");
}

function shown(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(shown).join(", ");
  if (typeof value === "object") return JSON.stringify(value);
  return typeof value === "number" ? number(value) : String(value);
}

/** A number short enough for a table; `inf` and `nan` come as strings and stay so. */
function number(value, digits = 3) {
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(digits))) : exponent(value, digits);
}

function exponent(value, digits) {
  return value.toExponential(digits - 1).replace(/\.?0*e/, "e").replace("e+", "e");
}
