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
    item.results = family.forms.flatMap(resultsOf);
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
      part("Forms", formsTable(family),
        el("p", { class: "aside" }, "Why they exist, since when each works, what it costs: ",
          el("code", null, `exportcheck explain ${family.name}`))),
      part("Forms side by side", sideBySide(family)),
      part("What each target runs", costTable(family),
        el("p", { class: "aside" }, "Operators that the runtime executes for the bare activation ",
          "(in brackets: as exported, where the runtime changes them), and the size of the saved file.")),
      part("On a phone", mobileTable(family))),
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
    return [targetTitle(column), el("span", { class: `sign-text is-${support}` }, mark(support),
      support === "form" ? `${form} works, native fails` : SUPPORT[support])];
  }), { class: "plain support-list" });
}

function formsTable(family) {
  const trained = family.forms.map((form) => resultsOf(form).find((one) => one.training)?.training);
  const some = trained.some(Boolean);
  const heads = ["Form and class", "Kind", "Formula", "Source"];
  return [table(some ? [...heads, "Kept for backward", "Gradient error"] : heads, family.forms.map((form, place) => [
    [form.name, form.module ? el("code", null, `${form.module}(${form.arguments})`) : null],
    kindTag(form.kind) || "–", el("code", null, form.formula || "–"),
    form.source ? sourceLinks(form.source) : "–",
    ...(some ? training(trained[place]) : []),
  ]), { class: "plain forms" }),
  some ? el("p", { class: "aside" },
    "Kept for backward: what autograd stores for one float32 batch of 4096 numbers, 16.4 kB. ",
    "Gradient error: against the family's reference, in float64.") : null];
}

function resultsOf(form) {
  return form.cells.flatMap((cell) => (cell ? cell.results : []));
}

function training(facts) {
  if (!facts) return ["–", "–"];
  if (facts.error) return [facts.error, "–"];
  const tensors = facts.saved_tensors === 1 ? "1 tensor" : `${facts.saved_tensors} tensors`;
  return [`${tensors}, ${bytes(facts.saved_bytes)}`, number(facts.gradient_error, 2)];
}

/** The family's rows of the matrix turned round: its forms side by side, targets down. */
function sideBySide(family) {
  const grid = el("table", { class: "matrix small", onkeydown: steer, onfocusin: rove },
    el("thead", null, el("tr", null, el("th", { scope: "col" }, "Target"),
      family.forms.map((form) => el("th", { scope: "col" }, formSuffix(family, form.name))))),
    el("tbody", null, report.columns.map((column, place) => el("tr", null,
      el("th", { scope: "row" }, targetTitle(column)),
      family.forms.map((form) => el("td", null, form.cells[place] && cellButton(form.cells[place])))))));
  return el("div", { class: "scroll" }, ready(grid));
}

function targetTitle(column) {
  return column.simulated ? `${column.target} (simulated)` : column.target;
}

function costTable(family) {
  const bare = (cell) => cell && cell.results.find((one) => one.network === "bare");
  return table(["Target", ...family.forms.map((form) => formSuffix(family, form.name))],
    report.columns.map((column, place) => [targetTitle(column),
      ...family.forms.map((form) => cost(bare(form.cells[place])))]), { class: "plain figures costs" });
}

/** How many nodes a phone's accelerators take, for each form between two convolutions. */
function mobileTable(family) {
  const found = family.forms.map((form) => resultsOf(form).find((one) =>
    one.network === "conv" && (one.actual || {}).mobile));
  const first = found.find(Boolean);
  if (!first) return null;
  const names = Object.keys(first.actual.mobile);
  return [table(["Form", ...names], family.forms.map((form, place) => [form.name, ...names.map((name) => {
    const one = found[place] && found[place].actual.mobile[name];
    const plural = one && one.partitions === 1 ? "" : "s";
    return one ? `${one.supported} of ${one.nodes} nodes, ${one.partitions} partition${plural}` : "–";
  })]), { class: "plain costs" }),
  el("p", { class: "aside" }, "By onnxruntime's own usability checker, for the network conv; ",
    `${[...new Set(found.filter(Boolean).map((one) => one.cell.column.target))].join(", ")}.`)];
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
