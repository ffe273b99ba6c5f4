// How to read the page, and where the numbers come from.

const INPUTS = {
  grid: "4096 evenly spaced numbers from −30 to 30",
  knees: "the places where the function changes its law, and their nearest neighbours",
  tails: "from 30 outwards, evenly in the exponent",
  infinities: "±∞",
  nan: "NaN; noted, never a failure",
  zeros: "+0 and −0; noted",
  subnormals: "the smallest numbers there are; noted",
  largest: "out to the largest finite number; noted",
  normal: "for a network: a seeded normal batch, standard deviation 2",
};

function aboutView() {
  return [el("div", { class: "about" },
    el("p", null, "Every activation was exported to every target, saved, loaded back by a runtime and run; ",
      "the numbers were compared with eager PyTorch, by class of input."),
    part("This run", el("p", null, report.totals), el("p", null, report.verdict)),
    part("Signs", legend()),
    part("Inputs", facts(Object.entries(INPUTS))),
    part("Keys", facts([["/", "search"], ["arrow keys, Home, End", "move between cells"],
      ["Enter", "open the cell or the function"], ["Escape", "close"]])),
    Object.entries(report.machines).map(([name, machine]) => part(
      name ? `Environment: ${name}` : "Environment", facts(flattened(machine)))))];
}

/** An environment as pairs, the versions inside it too. */
function flattened(machine) {
  return Object.entries(machine).flatMap(([name, value]) =>
    value && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [[name, value]]);
}
