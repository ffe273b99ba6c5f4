// Every function on one track: whether it could be exported with each version, and by which form.

/** The tabs of the tracks and the table of the chosen one. */
function overview(chosen) {
  const track = data.tracks.find((one) => one.name === chosen) || data.tracks[0];
  if (!track) return [el("p", { class: "notice" }, "No toolchain has been measured.")];
  return [
    el("nav", { class: "tabs tracks", "aria-label": "Tracks" }, data.tracks.map((one) => el("a", {
      href: `#track:${one.name}`, "aria-current": one === track ? "page" : null,
    }, one.title))),
    el("div", { class: "scroll overview-scroll" }, overviewTable(track)),
    legendOf(),
  ];
}

function overviewTable(track) {
  const grid = el("table", { class: "history-strip overview-table", onkeydown: steer, onfocusin: rove },
    el("caption", { class: "hidden" }, `${track.title}: every function, version by version`),
    stripHead(track),
    el("tbody", null, track.families.map(({ name, cells }) => el("tr", { class: "native" },
      el("th", { scope: "row" }, el("a", { href: `#${name}` }, name)),
      cells.map((cell, place) => el("td", null, overviewSquare(track, name, cell, place)))))));
  const first = grid.querySelector("tbody button");
  if (first) first.tabIndex = 0;
  return grid;
}

function overviewSquare(track, family, cell, place) {
  if (!cell) return el("span", { class: "blank" }, el("span", { class: "hidden" }, "not measured"));
  const [state, forms] = cell;
  const by = forms ? `: ${data.pool[forms].join(", ")}` : "";
  const label = `${family}, ${track.package} ${track.heads[place][0]}: ${stateWords(state)}${by}`;
  return el("button", {
    type: "button", tabindex: "-1", class: `square is-${state}`, "aria-label": label, title: label,
    onclick: () => { location.hash = `#${encodeURI(family)}`; },
  }, mark(state));
}

function legendOf() {
  const entry = (state) => el("li", null, el("span", { class: `sign is-${state}` }, mark(state)), stateWords(state));
  return el("div", { class: "legend" },
    el("ul", null, Object.keys(data.words).map(entry), Object.keys(data.standIns).map(entry)),
    el("p", null, "Every square was measured by running the exported file, unless it says otherwise; ",
      "what was not run is blank. Of the opsets that were tried the best counts. ",
      data.coreml));
}

/** The toolchains behind it all. */
function toolchains() {
  return [el("div", { class: "about" }, table(["Toolchain", "Packages", "Ran on", "Cells"],
    Object.entries(data.runs).map(([name, run]) => [name,
      Object.entries(run.versions).map(([n, v]) => `${n} ${v}`).join(", "), run.platform,
      run.count.toLocaleString("en")])))];
}
