// Views, the address that names what is open, and the keys that work everywhere.

const VIEWS = { matrix: "Matrix", functions: "Functions", failures: "Failures", about: "About" };
const BUILDERS = { matrix: matrixView, functions: functionsView, failures: failuresView, about: aboutView };

let view = "matrix";

/** Builds the page; called once, after every script. */
function start() {
  setUpTheme();
  document.getElementById("verdict").append(headline());
  document.getElementById("views").append(...Object.entries(VIEWS).map(([name, title]) =>
    el("a", { href: `#${name}`, "data-view": name }, title, badge(name))));
  document.getElementById("filters").append(...filterBar().filter(Boolean));
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["matrix", "failures", "about"]) fill(name);
  document.addEventListener("keydown", globalKeys);
  const panel = document.getElementById("panel");
  panel.addEventListener("close", () => go(view));
  panel.addEventListener("click", (event) => { if (event.target === panel) panel.close(); });
  window.addEventListener("hashchange", follow);
  applyFilters();
  follow();
  document.documentElement.dataset.ready = "true";
}

function fill(name) {
  document.getElementById(`view-${name}`).append(...BUILDERS[name]().filter(Boolean));
}

/** The totals; each state's count shows just those cells. */
function headline() {
  const { counts } = report;
  const count = (state, text) => counts[state] ? el("button", {
    type: "button", class: `count is-${state}`, onclick: () => { go("matrix"); chooseOnly("state", state); },
  }, mark(state), `${counts[state].toLocaleString("en")} ${text}`) : null;
  const plain = counts.pass - counts.noted;
  const passing = plain ? el("button", {
    type: "button", class: "count is-pass", onclick: () => { go("matrix"); chooseOnly("state", "pass"); },
  }, mark("pass"), `${plain.toLocaleString("en")} pass`) : null;
  const line = el("span", { class: "counts" }, passing, count("noted", "pass with a note"),
    count("mismatch", "wrong numbers"), count("error", "fail"), count("crash", "crash"),
    count("timeout", "time out"), count("unavailable", "not runnable here"));
  line.append(el("span", { class: `gate ${report.green ? "green" : "red"}` }, report.verdict));
  return line;
}

function badge(name) {
  const many = { functions: report.families.length, failures: report.failures.length }[name];
  return many === undefined ? null : el("span", { class: "many" }, String(many));
}

/** Makes `place` the address; what the address names is then opened. */
function go(place) {
  const hash = `#${encodeURI(wellFormed(place))}`;
  if (location.hash !== hash) location.hash = hash;
  else follow();
}

/** Opens what the address names: a view, a function's card, or a case by its id. */
function follow() {
  let place = location.hash.slice(1);
  try {
    place = decodeURI(place);
  } catch {
    // An address that somebody cut short is looked up as it is.
  }
  const panel = document.getElementById("panel");
  const family = report.families.find((one) => `function:${wellFormed(one.name)}` === place);
  const found = report.byAnchor.get(place);
  if (family || found) {
    panel.replaceChildren(...(family ? card(family) : cellPanel(found)));
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
    return;
  }
  if (place in VIEWS) view = place;
  if (panel.open) panel.close();
  show();
}

function show() {
  // A plot for every function takes a while, and not everybody looks at them.
  if (view === "functions" && !document.getElementById("view-functions").firstChild) {
    fill("functions");
    applyFilters();
  }
  for (const name of Object.keys(VIEWS)) {
    document.getElementById(`view-${name}`).hidden = name !== view;
  }
  for (const link of document.querySelectorAll("#views a")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.getElementById("filters").hidden = view === "about";
}

function globalKeys(event) {
  const typing = event.target.closest("input, select, textarea");
  if (event.key === "/" && !typing && !document.getElementById("panel").open) {
    event.preventDefault();
    document.getElementById("search").focus();
  }
}
