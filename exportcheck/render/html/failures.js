// The failures, each cause told once, and what else a gate would complain of.

function failuresView() {
  if (!report.failures.length) return [el("p", { class: "notice" }, "Nothing fails."), ...complaints()];
  return [...complaints(), el("ol", { class: "failures" }, report.failures.map((failure) => {
    const results = failure.results.map((place) => report.results[place]);
    const item = el("li", { "data-filtered": true }, failureHead(failure, results),
      el("p", { class: "cause" }, failure.cause),
      blameLine(failure.culprit, failure.blame), knownLine(failure.known),
      insteadOf(results), whereList(results));
    item.results = results;
    return item;
  }))];
}

function blameLine(culprit, text) {
  return text ? el("p", null, el("span", { class: "tag" }, spaced(culprit)), " ", text) : null;
}

function knownLine(known) {
  return known ? el("p", null, "Known: ", known.reason, " ", issueLink(known.issue)) : null;
}

function failureHead(failure, results) {
  const distinct = (pick) => [...new Set(results.map(pick))].join(", ");
  return el("h3", null, el("span", { class: `sign is-${failure.status}` }, mark(failure.status)),
    `${failure.form} `, el("span", { class: "kind" }, STATES[failure.status].replace("a stage", failure.stage)),
    el("small", null, `${distinct((one) => one.cell.column.target)} · ${distinct((one) => one.network)}`));
}

/** The forms that work where these fail, each with its targets. */
function insteadOf(results) {
  const by = new Map();
  for (const { cell } of results) {
    const form = cell.support && cell.support[1];
    if (!form || form === cell.form.name) continue;
    by.set(form, (by.get(form) || new Set()).add(cell.column.target));
  }
  if (!by.size) return null;
  return el("p", { class: "help is-form" }, mark("form"), "Works instead: ",
    [...by].map(([form, targets]) => `${form} (${[...targets].join(", ")})`).join("; "));
}

function whereList(results) {
  return el("details", null, el("summary", null, results.length === 1 ? "1 case" : `${results.length} cases`),
    el("ul", null, results.map((one) => el("li", null,
      el("button", { type: "button", class: "link", onclick: () => go(one.anchor) }, one.id)))));
}

function complaints() {
  const list = (heading, items) => (items.length
    ? el("details", { open: items.length < 6 }, el("summary", null, `${heading} (${items.length})`),
      el("ul", null, items.map((item) => el("li", null, item)))) : null);
  return [
    list("Known failures that pass now: remove the limitation",
      report.fixed.map((place) => report.results[place].id)),
    list("Limitations that match no case: remove them", report.stale),
    list("Not finished", report.unfinished),
    list("Changes", report.changes.map(([kind, subject, text]) => `${words(kind)}: ${subject}: ${text}`)),
  ].filter(Boolean);
}
