// A function's card: what it is, how it looks, all its forms, and how each target takes them.

/** Every function as a small card that opens the whole one. */
function functionsView() {
  const drawnFirst = report.families.toSorted((a, b) => !a.curve - !b.curve);
  return [el("div", { class: "cards" }, drawnFirst.map((family) => {
    const item = el("article", { class: "card", "data-filtered": true },
      el("button", { type: "button", onclick: () => go(`function:${family.name}`) },
        el("h3", null, family.name), formulaOf(family),
        family.curve ? thumbnail(family) : el("p", { class: "none" }, notDrawn(family)),
        strip(family)));
    item.results = family.forms.flatMap((form) => form.cells.flatMap((cell) => (cell ? cell.results : [])));
    return item;
  }))];
}

function formulaOf(family) {
  const reference = referenceOf(family);
  return reference.formula ? el("code", { class: "formula" }, reference.formula) : null;
}

function referenceOf(family) {
  return family.forms.find((form) => form.reference) || family.forms[0];
}

function notDrawn(family) {
  return referenceOf(family).formula
    ? "Each output depends on many inputs, so there is no curve to draw."
    : "The catalogue of this version does not know it.";
}

function thumbnail(family) {
  const frame = { width: 240, height: 110, left: 6, right: 6, top: 6, bottom: 6 };
  const { x: xs, y: ys, slope } = family.curve;
  const x = scale(xs, frame.left, frame.width - frame.right, "linear");
  const y = scale([...ys, ...slope, 0], frame.height - frame.bottom, frame.top, "linear");
  const knee = (i) => xs[i] - xs[i - 1] < 1e-4;
  return svg("svg", { class: "thumb", viewBox: "0 0 240 110", "aria-hidden": "true" },
    svg("g", { class: "axes" },
      svg("line", { class: "zero", x1: x.at(0), x2: x.at(0), y1: 4, y2: 106 }),
      svg("line", { class: "zero", x1: 4, x2: 236, y1: y.at(0), y2: y.at(0) })),
    line(xs, slope, { x, y }, "slope", knee), line(xs, ys, { x, y }, "value", knee));
}

/** One sign a column: the whole support of a family at a glance. */
function strip(family) {
  return el("span", { class: "strip" }, family.support.map((statement, place) => statement && el("span", {
    class: `sign is-${statement[0]}`, title: `${report.columns[place].target}: ${SUPPORT[statement[0]]}`,
  }, mark(statement[0]), el("span", { class: "hidden" },
    `${columnTitle(report.columns[place])}: ${SUPPORT[statement[0]]}. `))));
}

/** The children of the panel for `family`. */
function card(family) {
  const reference = referenceOf(family);
  return [
    panelHead(family.name, [
      el("p", { class: "under" }, el("code", null, reference.formula || ""),
        reference.source ? [" · ", sourceLinks(reference.source)] : null)]),
    el("div", { class: "panel-body" },
      el("div", { class: "overview" },
        family.curve ? functionPlot(family) : el("p", { class: "none" }, notDrawn(family)),
        el("section", { class: "part" }, el("h3", null, "Support"), supportList(family))),
      part("Forms", formsTable(family)),
      part("Every form by target", rowsOf(family)),
      part("What each target runs", costTable(family),
        el("p", { class: "aside" }, "Operators that the runtime executes for the bare activation (in brackets: as exported, where the runtime changes them), and the size of the saved file."))),
  ];
}

/** Papers and projects as links. */
function sourceLinks(source) {
  return source.split(", ").map((one, place) => {
    const paper = /^arXiv:([\w.]+)$/.exec(one);
    const text = paper ? el("a", { href: `https://arxiv.org/abs/${paper[1]}`, rel: "noreferrer" }, one) : one;
    return [place ? ", " : null, text];
  }).flat();
}

function supportList(family) {
  return table(null, report.columns.map((column, place) => {
    const statement = family.support[place];
    if (!statement) return [column.target, "not asked for"];
    const [support, form] = statement;
    return [`${column.target} · ${runtimeTitle(column)}`, el("span", { class: `sign-text is-${support}` }, mark(support),
      SUPPORT[support], support === "form" ? `: ${form}` : null)];
  }), { class: "plain support-list" });
}

function formsTable(family) {
  const extra = [...new Set(family.forms.flatMap((form) => Object.keys(form.facts || {})))];
  return table(["Form", "Kind", "Formula", "Class", "Source", ...extra.map(words)], family.forms.map((form) => [
    form.name, kindTag(form.kind) || "–", el("code", null, form.formula || "–"),
    el("code", null, form.module ? `${form.module}(${form.arguments})` : "–"),
    form.source ? sourceLinks(form.source) : "–",
    ...extra.map((name) => shown((form.facts || {})[name])),
  ]), { class: "plain forms" });
}

/** The family's rows of the matrix, natives and hand-written forms beneath each other. */
function rowsOf(family) {
  const grid = el("table", { class: "matrix small", onkeydown: steer, onfocusin: rove }, columnHeads(),
    el("tbody", null, family.forms.map((form) => el("tr", { class: "form" }, formHead(family, form),
      form.cells.map(matrixCell)))));
  return el("div", { class: "scroll" }, ready(grid));
}

function costTable(family) {
  return table(["Form", ...report.columns.map((column) => column.target)], family.forms.map((form) =>
    [form.name, ...form.cells.map((cell) => cost(cell && cell.results.find((one) => one.network === "bare")))]),
  { class: "plain figures" });
}

/** For example `3 (5) · 412 B`. */
function cost(found) {
  const counts = found && Object.values(found.graph_ops || {}).map((ops) =>
    Object.values(ops).reduce((sum, count) => sum + count, 0));
  if (!counts || !counts.length) return "–";
  const [exported, left] = [counts[0], counts.at(-1)];
  const size = (found.actual || {}).size_bytes;
  return `${left}${exported === left ? "" : ` (${exported})`}${size ? ` · ${bytes(size)}` : ""}`;
}

function bytes(count) {
  return count < 1000 ? `${count} B` : `${number(count / 1000)} kB`;
}
