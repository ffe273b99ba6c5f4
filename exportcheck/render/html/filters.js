// The filters above the matrix; they also narrow the failures and the functions.

const chosen = { text: "", family: "", target: "", state: "", blame: "" };

/** The controls, and the line that says how much is left. */
function filterBar() {
  const culprits = [...new Set(report.results.flatMap(culpritsOf))].sort();
  return [
    el("label", { class: "search" }, el("span", { class: "hidden" }, "Search"), el("input", {
      type: "search", id: "search", placeholder: "Search names, causes, operators  (press /)",
      autocomplete: "off", spellcheck: "false",
      oninput: (event) => choose("text", event.target.value.trim().toLowerCase()),
    })),
    selection("family", "Family", "All families", [report.families.map((one) => [one.name, one.name])]),
    selection("target", "Target", "All targets", targetOptions()),
    selection("state", "Status", "Any status", stateOptions()),
    culprits.length
      ? selection("blame", "Blame", "Any blame", [culprits.map((one) => [one, spaced(one)])]) : null,
    el("button", { type: "reset", onclick: clearFilters }, "Clear"),
    el("output", { id: "left", "aria-live": "polite" }),
  ];
}

/** A select whose options come in groups: `[[value, text], …]`, headed by its `title` if it has one. */
function selection(name, label, all, groups) {
  const options = (pairs) => pairs.map(([value, text]) => el("option", { value }, text));
  return el("label", null, el("span", { class: "hidden" }, label), el("select", {
    name, onchange: (event) => choose(name, event.target.value),
  }, el("option", { value: "" }, all),
  groups.map((pairs) => pairs.title ? el("optgroup", { label: pairs.title }, options(pairs)) : options(pairs))));
}

function targetOptions() {
  const groups = new Map();
  for (const column of report.columns) {
    if (!groups.has(column.group)) groups.set(column.group, []);
    groups.get(column.group).push([`${column.target}/${column.runtime}`, `${column.target} · ${column.runtime}`]);
  }
  return [...groups].map(([title, pairs]) => {
    const group = [[`group:${title}`, `all of ${title}`], ...pairs];
    group.title = title || "other";
    return group;
  });
}

function stateOptions() {
  const here = new Set(report.results.map((found) => found.state));
  const states = Object.entries(STATES).filter(([state]) => here.has(state));
  const more = [["failing", "every failure"], ["form", SUPPORT.form]];
  if (report.counts.known) more.push(["known", "known failures"], ["new", "new failures"]);
  return [more, states];
}

function choose(name, value) {
  chosen[name] = value;
  applyFilters();
}

function clearFilters() {
  for (const name of Object.keys(chosen)) chosen[name] = "";
  document.getElementById("filters").reset();
  applyFilters();
}

/** Shows one choice of one filter, as the counts in the header do. */
function chooseOnly(name, value) {
  clearFilters();
  document.querySelector(`#filters [name=${name}]`).value = value;
  choose(name, value);
}

function matchesColumn(column) {
  if (!chosen.target) return true;
  return chosen.target === `group:${column.group}` || chosen.target === `${column.target}/${column.runtime}`;
}

function matches(found) {
  const { cell } = found;
  return (!chosen.family || cell.form.family.name === chosen.family)
    && matchesColumn(cell.column)
    && (!chosen.state || inState(found, chosen.state))
    && (!chosen.blame || culpritsOf(found).includes(chosen.blame))
    && (!chosen.text || chosen.text.split(/\s+/).every((word) => haystack(found).includes(word)));
}

/** The chief one first; most results have none. */
function culpritsOf(found) {
  return found.blame ? [found.blame.culprit, ...(found.blame.also || [])] : [];
}

function inState(found, state) {
  const failing = FAILING.includes(found.state);
  if (state === "failing") return failing;
  if (state === "known") return failing && Boolean(found.known);
  if (state === "new") return failing && !found.known;
  if (state === "form") return Boolean(found.cell.support) && found.cell.support[0] === "form";
  return found.state === state;
}

/** Hides what does not match: whole columns, whole rows; single cells are only faded. */
function applyFilters() {
  const active = Object.values(chosen).some(Boolean);
  let left = 0;
  for (const found of report.results) {
    found.match = matches(found);
    left += found.match;
  }
  for (const body of document.querySelectorAll("#view-matrix tbody")) filterFamily(body);
  filterColumns();
  for (const item of document.querySelectorAll("[data-filtered]")) {
    item.hidden = !item.results.some((found) => found.match);
  }
  const of = report.results.length.toLocaleString("en");
  document.getElementById("left").textContent = active ? `${left.toLocaleString("en")} of ${of} cases` : `${of} cases`;
  document.querySelector("#filters [type=reset]").disabled = !active;
}

function filterFamily(body) {
  let any = false;
  for (const row of body.rows) {
    if (!row.form) continue;
    let some = false;
    for (const button of row.querySelectorAll("button.cell")) {
      const match = button.cell.results.some((found) => found.match);
      button.classList.toggle("faded", !match);
      some ||= match;
    }
    row.hidden = !some;
    any ||= some;
  }
  body.hidden = !any;
}

function filterColumns() {
  const shown = report.columns.map(matchesColumn);
  const grid = document.querySelector("#view-matrix table");
  for (const head of grid.querySelectorAll(".groups th[colspan]")) {
    const span = head.places.filter((place) => shown[place]).length;
    head.hidden = !span;
    head.colSpan = Math.max(1, span);
  }
  grid.querySelectorAll(".labels th").forEach((head, place) => { head.hidden = !shown[place]; });
  for (const row of grid.tBodies.length ? grid.querySelectorAll("tbody tr") : []) {
    shown.forEach((show, place) => { row.cells[place + 1].hidden = !show; });
  }
}
