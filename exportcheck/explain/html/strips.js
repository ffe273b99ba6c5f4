// Strips: forms down, versions across, a sign in a coloured square for each.

/** A strip as a table, with the line beneath it that says what the chosen square means. */
function stripTable(strip) {
  const said = el("div", { class: "said", "aria-live": "polite" },
    el("p", { class: "aside" }, "Choose a square to read what was measured."));
  const grid = el("table", { class: "history-strip", onkeydown: steer, onfocusin: rove },
    el("caption", { class: "hidden" }, strip.title),
    stripHead(strip),
    el("tbody", null, strip.rows.map((row) => el("tr", { class: row.native ? "native" : null },
      el("th", { scope: "row" }, el("span", { class: "form-name" }, row.form), kindTag(row.kind)),
      row.cells.map((cell, place) => el("td", null, square(strip, row, statement(cell), place, said)))))));
  const first = grid.querySelector("tbody button");
  if (first) first.tabIndex = 0;
  return el("section", { class: "part strip-part" }, el("h4", null, strip.title),
    el("div", { class: "scroll" }, grid), said);
}

function stripHead(strip) {
  const row = (name, part, attributes) => el("tr", attributes,
    el("th", { scope: "row" }, name),
    strip.heads.map((head) => el("th", { scope: "col" }, head[part] || "–")));
  return el("thead", null, row(strip.package, 0, { class: "versions" }),
    strip.other ? row(strip.other, 1, { class: "others" }) : null);
}

function square(strip, row, found, place, said) {
  if (!found) return el("span", { class: "blank" }, el("span", { class: "hidden" }, "not measured"));
  const where = `${strip.package} ${strip.heads[place][0]}`;
  return el("button", {
    type: "button", tabindex: "-1", class: `square is-${found.state}`,
    "aria-label": `${row.form}, ${where}: ${stateWords(found.state)}`,
    title: `${row.form}, ${where}: ${stateWords(found.state)}`,
    onclick: (event) => {
      const table = event.currentTarget.closest("table");
      for (const one of table.querySelectorAll("[aria-pressed]")) one.removeAttribute("aria-pressed");
      event.currentTarget.setAttribute("aria-pressed", "true");
      said.replaceChildren(...reading(strip, row, found, place));
    },
  }, mark(found.state));
}

/** What one square says: the state, each option that was tried, the words of that day, the command. */
function reading(strip, row, found, place) {
  const run = strip.runs[place];
  const { versions, platform } = data.runs[run];
  const tried = Object.entries(found.states);
  return [
    el("p", null, el("span", { class: `sign is-${found.state}` }, mark(found.state)), " ",
      el("strong", null, row.form), ` · ${strip.package} ${strip.heads[place][0]}`),
    el("p", { class: "words" }, found.text),
    tried.length > 1 ? el("ul", { class: "tried" }, tried.map(([option, state]) => el("li", null,
      el("span", { class: `sign is-${state}`, title: stateWords(state) }, mark(state)), option,
      el("span", { class: "hidden" }, `: ${stateWords(state)}`)))) : null,
    el("p", { class: "aside" }, `${Object.entries(versions).map(([n, v]) => `${n} ${v}`).join(", ")}; ${platform}`),
    commandLine(commandFor(row.form, run, found.column)),
  ].filter(Boolean);
}

function commandLine(command) {
  return el("code", { class: "command" }, command);
}

function kindTag(kind) {
  return kind ? el("span", { class: "kind" }, kind) : null;
}
