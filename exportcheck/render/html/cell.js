// The panel of one cell: everything that is known of it, one network at a time.

/** The children of the panel for `found` and the other results of its cell. */
function cellPanel(found) {
  const { cell } = found;
  const { form, column } = cell;
  return [
    panelHead(form.name, [
      el("p", { class: "under" }, columnTitle(column)),
      cell.results.length > 1 ? networkTabs(cell, found) : null,
    ]),
    el("div", { class: "panel-body" },
      verdictPart(found), helpPart(found), blamePart(found), notesPart(found),
      part("Comparison by input class", plotsOf(found), comparisonTable(found)),
      operatorsPart(found),
      part("The exported file", fileFacts(found.actual)),
      mobilePart(found),
      part("Training", found.training && facts(Object.entries(found.training))),
      part("Tolerance", found.tolerance && facts(Object.entries(found.tolerance))),
      part("Where it ran", facts([
        ...(found.machine ? [["machine", found.machine]] : []), ["toolchain", found.toolchain],
        ...Object.entries(found.versions || {})])),
      logPart(found), reproducePart(found)),
  ];
}

/** What the file really is; what it can do on a phone has a part of its own. */
function fileFacts(actual) {
  const pairs = Object.entries(actual || {}).filter(([name]) => name !== "mobile");
  return pairs.length ? facts(pairs) : null;
}

function panelHead(title, children) {
  return el("header", { class: "panel-head" },
    el("h2", { id: "panel-title" }, title),
    el("button", { type: "button", class: "close", "aria-label": "Close",
      onclick: () => document.getElementById("panel").close() }, mark("error")),
    children);
}

function networkTabs(cell, found) {
  const several = (name) => new Set(cell.results.map((one) => one[name])).size > 1;
  const extra = ["toolchain", "machine"].filter(several);
  return el("nav", { class: "tabs", "aria-label": "Networks" }, cell.results.map((one) => el("button", {
    type: "button", "aria-current": one === found ? "true" : null, "aria-label":
      `${one.network}: ${STATES[one.state]}`,
    onclick: () => {
      history.replaceState(null, "", `#${encodeURI(one.anchor)}`);
      document.getElementById("panel").replaceChildren(...cellPanel(one));
      document.querySelector("#panel .tabs [aria-current]").focus();
    },
  }, mark(one.state), [one.network, ...extra.map((name) => one[name])].filter(Boolean).join(" · "))));
}

/** The stages as far as the case came, and the cause. */
function verdictPart(found) {
  const reached = STAGES.indexOf(found.stage);
  const failing = FAILING.includes(found.state) || found.state === "unavailable";
  const steps = STAGES.map((stage, place) => {
    const state = place > reached ? "unavailable" : place === reached && failing ? found.state : "pass";
    const text = place > reached ? "not reached" : state === "pass" ? "done" : STATES[state];
    const seconds = (found.durations_s || {})[stage];
    return el("li", { class: place > reached ? "ahead" : `is-${state}` }, mark(state), stage,
      el("span", { class: "hidden" }, `: ${text}`),
      seconds === undefined ? null : el("small", null, duration(seconds)));
  });
  return el("section", { class: "part" },
    el("p", { class: `verdict is-${found.state}` }, mark(found.state),
      el("strong", null, found.state === "error" ? "fails" : STATES[found.state]),
      failing ? ` at stage ${found.stage}` : null, found.known ? " · a known failure" : null),
    el("ol", { class: "stages" }, steps),
    found.message ? el("pre", { class: "cause", tabindex: "0" }, found.message) : null,
    knownLine(found.known));
}

function duration(seconds) {
  if (seconds < 1e-3) return "<1 ms";
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${number(seconds)} s`;
}

/** An address as a link, where it is one of the web; other text as it is. */
function issueLink(text) {
  return /^https?:\/\//.test(text || "") ? el("a", { href: text, rel: "noreferrer" }, text) : text || null;
}

/** What to use instead, where another form of the family works in the same column. */
function helpPart(found) {
  const { form, column, support } = found.cell;
  if (!FAILING.includes(found.state) || !support || !support[1] || support[1] === form.name) return null;
  const other = form.family.forms.find((one) => one.name === support[1]);
  const target = other && other.cells[report.columns.indexOf(column)];
  if (!target) return null;
  return el("p", { class: "help is-form" }, mark("form"), "Works here instead: ",
    el("button", { type: "button", class: "link", onclick: () => go(worstOf(target).anchor) }, other.name),
    other.formula ? el("code", null, other.formula) : null);
}

function blamePart({ blame }) {
  if (!blame) return null;
  return part("Blame",
    blameLine(blame.culprit, blame.text),
    blame.evidence.length ? table(["Tried", "Found"], blame.evidence.map((one) => [one.tried, one.found])) : null,
    blame.operators.length ? table(["Operator", "Module", "Source"],
      blame.operators.map((one) => [el("code", null, one.name), one.module || "–", one.source || "–"])) : null);
}

function notesPart({ notes }) {
  return part("Notes", notes && el("ul", { class: "notes" }, notes.map((note) => el("li", null, note))));
}

function plotsOf(found) {
  const named = found.comparisons.filter(([name]) => found.curves[name]);
  if (!named.length) return null;
  named.sort(([, a], [, b]) => (b.gates && !b.close) - (a.gates && !a.close));
  const place = el("div");
  const draw = (name) => {
    const comparison = named.find(([one]) => one === name)[1];
    place.replaceChildren(comparisonPlots(name, found.curves[name], comparison));
    for (const tab of tabs.children) {
      if (tab.name === name) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
  };
  const tabs = el("nav", { class: "tabs", "aria-label": "Plots by input class" }, named.map(([name]) =>
    el("button", { type: "button", name, onclick: () => draw(name) }, name)));
  draw(named[0][0]);
  return [tabs, place];
}

function comparisonTable({ comparisons }) {
  if (!comparisons.length) return null;
  const heads = ["Inputs", "Verdict", "Wrong", "Error", "Absolute", "Relative", "ULP", "Accuracy",
    "Kinds", "Worst point"];
  return table(heads, comparisons.map(([name, one]) => {
    const kinds = Object.entries(one.kinds).map(([kind, count]) => `${kind} ${count}`).join(", ");
    const state = one.close ? (kinds ? "noted" : "pass") : one.gates ? "mismatch" : "noted";
    const verdict = one.close ? (kinds ? "with a note" : "as eager") : one.gates ? "wrong" : "differs, only noted";
    return [name, el("span", { class: `sign-text is-${state}` }, mark(state), verdict),
      `${one.mismatched} of ${one.total}`, number(one.max_error), number(one.max_abs_error),
      number(one.max_rel_error), number(one.max_ulp_error),
      one.accuracy ? el("span", { title: "than eager, both against float64" },
        one.accuracy === "as" ? "as eager" : one.accuracy) : "–", kinds || "–", worstPoint(one.worst)];
  }), { class: "plain figures" });
}

function worstPoint(worst) {
  if (!worst) return "–";
  const at = worst.input === null ? `at index ${worst.index.join(", ")}` : `at x = ${number(worst.input, 6)}`;
  const truth = worst.truth === null ? "" : `; in float64 ${number(worst.truth, 6)}`;
  return `${number(worst.actual, 6)} where eager gives ${number(worst.expected, 6)} ${at}${truth}`;
}

/** Operators as exported beside those left after the runtime's optimizer. */
function operatorsPart({ graph_ops: graphs }) {
  if (!graphs || !Object.keys(graphs).length) return null;
  const stages = Object.keys(graphs);
  const names = [...new Set(stages.flatMap((stage) => Object.keys(graphs[stage])))].sort();
  const total = (stage) => Object.values(graphs[stage]).reduce((sum, count) => sum + count, 0);
  return part("Operators", table(["Operator", ...stages], [
    ...names.map((name) => [el("code", null, name), ...stages.map((stage) => graphs[stage][name] || "–")]),
    ["all", ...stages.map((stage) => total(stage))],
  ]));
}

/** What the runtime's own checker grants on a phone, where it was asked. */
function mobilePart({ actual }) {
  const mobile = actual && actual.mobile;
  return mobile ? part("On a phone, by onnxruntime's usability checker", table(
    ["Accelerator", "Nodes", "Supported", "Partitions"], Object.entries(mobile).map(([name, one]) =>
      [name, one.nodes, one.supported, one.partitions].map(String)))) : null;
}

function logPart({ log }) {
  return log ? el("section", { class: "part" }, el("details", null,
    el("summary", null, el("h3", null, "Log")), el("pre", { tabindex: "0" }, log))) : null;
}

function reproducePart(found) {
  const quoted = found.id.replaceAll("'", "'\\''");
  return part("Run it again", el("pre", { tabindex: "0" }, `exportcheck all --select '${quoted}'`));
}
