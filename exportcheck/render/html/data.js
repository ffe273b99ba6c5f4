// The report, unpacked, and the words for what it says.

const report = unpacked(JSON.parse(document.getElementById("data").textContent));

const STATES = {
  pass: "passes",
  noted: "passes, with a note",
  mismatch: "wrong numbers",
  error: "fails at a stage",
  crash: "crashes",
  timeout: "never ends",
  unavailable: "not runnable here",
};

const SUPPORT = {
  works: "works",
  noted: "works, with a note",
  form: "native fails, but a form works",
  fails: "fails",
  unavailable: "not runnable here",
};

const MARK_OF = { works: "pass", fails: "error" };

const STAGES = ["build", "export", "save", "load", "run", "compare"];

const FAILING = ["mismatch", "error", "crash", "timeout"];

/** The same report with every reference to the pool of shared values followed. */
function unpacked(data) {
  data.results = [];
  for (const family of data.families) {
    family.forms.forEach((form) => {
      form.family = family;
      form.cells.forEach((cell, place) => {
        if (!cell) return;
        Object.assign(cell, { form, column: data.columns[place], support: family.support[place] });
        cell.results = cell.results.map((row) => result(data, cell, row));
        data.results.push(...cell.results);
      });
    });
  }
  data.byAnchor = new Map(data.results.map((found) => [found.anchor, found]).reverse());
  return data;
}

function result(data, cell, row) {
  const found = { cell };
  data.fields.forEach((name, place) => {
    found[name] = place ? data.pool[row[place]] : row[place];
  });
  found.comparisons = (found.comparisons || []).map((place) => data.pool[place]);
  found.curves = Object.fromEntries(
    Object.entries(found.curves || {}).map(([name, place]) => [name, data.pool[place]]));
  found.id = [cell.form.name, found.network, cell.column.target, cell.column.runtime, found.toolchain].join("/");
  found.anchor = wellFormed(found.id);
  return found;
}

/** `text` without lone surrogates, which no address can hold. */
function wellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

function columnTitle(column) {
  return `${column.target}, run by ${runtimeTitle(column)}`;
}

function runtimeTitle(column) {
  return column.runtime + (column.simulated ? " (simulated)" : "");
}

/** Everything that free text search looks at, in lower case; made on the first search. */
function haystack(found) {
  if (found.haystack === undefined) {
    const form = found.cell.form;
    const ops = Object.values(found.graph_ops || {}).flatMap(Object.keys);
    const blame = found.blame ? [found.blame.text, ...found.blame.operators.map((one) => one.name)] : [];
    found.haystack = [
      found.id, form.family.name, form.formula, form.module, form.source, found.message,
      ...(found.notes || []), ...ops, ...blame,
    ].join("\n").toLowerCase();
  }
  return found.haystack;
}
