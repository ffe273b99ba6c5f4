// The matrix: families and their forms down, targets across.

/** The table, built once. */
function matrixView() {
  const grid = el("table", { class: "matrix", onkeydown: steer, onfocusin: rove },
    el("caption", { class: "hidden" },
      "Every form by target; arrow keys move between cells, Enter opens one."),
    columnHeads(),
    report.families.map((family) => familyRows(family, family.forms.length > 1)));
  return [el("div", { class: "frame", tabindex: "-1" }, ready(grid)), legend()];
}

/** `grid`, wide enough for its columns, its first cell within reach of the Tab key. */
function ready(grid) {
  grid.style.setProperty("--columns", report.columns.length);
  const first = grid.querySelector("tbody button");
  if (first) first.tabIndex = 0;
  return grid;
}

function columnHeads() {
  const groups = [];
  for (const column of report.columns) {
    const last = groups.at(-1);
    if (last && last.name === column.group) last.span += 1;
    else groups.push({ name: column.group, span: 1 });
  }
  let place = 0;
  return el("thead", null,
    el("tr", { class: "groups" },
      el("th", { scope: "col", rowspan: "2", class: "corner" }, "Function, form"),
      groups.map((group) => {
        const head = el("th", { scope: "colgroup", colspan: group.span, class: "first", title: group.name }, group.name);
        head.places = Array.from({ length: group.span }, () => place++);
        return head;
      })),
    el("tr", { class: "labels" }, report.columns.map((column, at) => el("th",
      { scope: "col", class: opening(at), title: columnTitle(column) },
      el("span", { class: "label" }, column.label),
      el("span", { class: "runtime" }, column.runtime, column.simulated ? "*" : null)))));
}

/** The class of a column that opens a group. */
function opening(place) {
  const before = report.columns[place - 1];
  return !before || before.group !== report.columns[place].group ? "first" : null;
}

function familyRows(family, many) {
  const body = el("tbody");
  if (many) body.append(el("tr", { class: "family" }, familyHead(family, true),
    report.columns.map((column, at) => supportCell(family, column, at))));
  for (const form of family.forms) {
    const head = many ? formHead(family, form) : familyHead(family, false);
    const row = el("tr", { class: many ? "form" : "family only" }, head, form.cells.map(matrixCell));
    row.form = form;
    body.append(row);
  }
  body.family = family;
  return body;
}

function familyHead(family, many) {
  const [name, kind] = many ? [family.name, `${family.forms.length} forms`]
    : [family.forms[0].name, family.forms[0].kind];
  return el("th", { scope: "row" }, el("button", {
    type: "button", class: "name", tabindex: "-1", onclick: () => go(`function:${family.name}`),
    "aria-label": `${name}: formula, plot, all forms`,
  }, el("span", { class: "text" }, el("span", { class: "whole" }, name)), kindTag(kind), sparkline(family.curve)));
}

function formHead(family, form) {
  const suffix = form.name.startsWith(`${family.name}-`) ? form.name.slice(family.name.length) : null;
  return el("th", { scope: "row" }, el("span", { class: "name" },
    el("span", { class: "text" },
      suffix ? [el("span", { class: "prefix" }, family.name), el("span", null, suffix)]
        : el("span", { class: "whole" }, form.name)),
    kindTag(form.kind)));
}

function kindTag(kind) {
  return kind ? el("span", { class: "kind" }, kind) : null;
}

/** What the family as a whole offers in a column. */
function supportCell(family, column, place) {
  const statement = family.support[place];
  if (!statement) return el("td", { class: opening(place) });
  const [support, form] = statement;
  const by = support === "form" ? formSuffix(family, form) : null;
  return el("td", { class: opening(place) }, el("button", {
    type: "button", tabindex: "-1", class: `cell support is-${support}`,
    "aria-label": `${family.name}, ${columnTitle(column)}: ${SUPPORT[support]}${by ? `: ${form}` : ""}`,
    title: `${SUPPORT[support]}${by ? `: ${form}` : ""}`,
    onclick: () => go(`function:${family.name}`),
  }, mark(support), by && el("span", { class: "by" }, by)));
}

function formSuffix(family, form) {
  return form.startsWith(`${family.name}-`) ? form.slice(family.name.length + 1) : form;
}

function matrixCell(cell, place) {
  return el("td", { class: opening(place) }, cell && cellButton(cell));
}

/** A cell that opens; its state in a sign, in words for those who hear it, and in a colour. */
function cellButton(cell) {
  const known = cell.known ? ", a known failure" : "";
  const button = el("button", {
    type: "button", tabindex: "-1", class: `cell is-${cell.state}`,
    "aria-label": `${cell.form.name}, ${columnTitle(cell.column)}: ${STATES[cell.state]}, ${cell.figure}${known}`,
    title: `${STATES[cell.state]}${known}`,
    onclick: () => go(worstOf(cell).anchor),
  }, mark(cell.state), el("span", { class: "figure" }, figure(cell.figure)),
  cell.known ? el("span", { class: "known" }, "°") : null);
  button.cell = cell;
  return button;
}

/** `3e-07` and `1e+00` as people write them. */
function figure(text) {
  return /e\+/.test(text) ? String(Number(text)) : text.replace(/e-0?/, "e−");
}

/** The result that a cell opens with: the first in the state that the cell shows. */
function worstOf(cell) {
  return cell.results.find((found) => found.state === cell.state) || cell.results[0];
}

function legend() {
  const entry = (state, text) => el("li", null, el("span", { class: `sign is-${state}` }, mark(state)), text);
  const simulated = [...new Set(report.columns.filter((one) => one.simulated).map((one) => one.runtime))];
  return el("div", { class: "legend" },
    el("ul", null,
      Object.entries(STATES).map(([state, text]) => entry(state, text)),
      entry("form", SUPPORT.form)),
    el("p", null, "The figure is the worst error, |actual − eager| / max(1, |eager|), over all networks; ",
      "or the stage that fails. ° marks a known failure. Shaded rows speak for a whole family. ",
      simulated.length ? `* ${simulated.join(", ")} (simulated): `
        + "a reference evaluator's numbers, not Apple's runtime's." : null));
}
