// Plots: of a function and its slope, and of a comparison around its worst point.

const PLOT = { width: 460, height: 216, left: 62, right: 12, top: 4, bottom: 32 };

/** Points of a curve kept to either side of the worst one; the worker samples as many. */
const NEIGHBOURS = 16;

/** A scale from values to pixels: `at(value)`, `ticks`, and `text(tick)`. */
function scale(values, from, to, kind) {
  const finite = values.filter(Number.isFinite);
  const bend = kind === "linear" ? (v) => v : bending(kind, finite);
  let [low, high] = finite.length ? [Math.min(...finite), Math.max(...finite)] : [-1, 1];
  if (low === high) [low, high] = [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
  const [a, b] = [bend(low), bend(high)];
  const at = (v) => {
    if (v === Infinity) return to;
    if (v === -Infinity || Number.isNaN(v)) return from;
    return from + ((bend(v) - a) / (b - a)) * (to - from);
  };
  const ticks = kind === "linear" ? linearTicks(low, high) : powerTicks(low, high, kind, bend);
  const step = kind === "linear" ? ticks[1] - ticks[0] : 0;
  return { at, ticks, text: (tick) => tickText(tick, step) };
}

/** Linear near zero and logarithmic beyond, with the sign kept. */
function bending(kind, finite) {
  const sizes = finite.map(Math.abs).filter((size) => size > 0);
  const unit = kind === "ulp" || !sizes.length ? 1 : Math.max(Math.min(...sizes), 1e-3);
  const bend = (v) => Math.sign(v) * Math.log10(1 + Math.abs(v) / unit);
  bend.unit = unit;
  return bend;
}

function linearTicks(low, high) {
  const raw = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((one) => one * power >= raw) * power;
  const ticks = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) ticks.push(n * step);
  return ticks.length > 1 ? ticks : [low, high];
}

function powerTicks(low, high, kind, bend) {
  const top = Math.ceil(Math.log10(Math.max(Math.abs(low), high, bend.unit * 10)));
  const bottom = Math.round(Math.log10(bend.unit));
  const step = Math.max(1, Math.ceil((top - bottom) / (low < 0 ? 2 : 4)));
  const ticks = [0];
  for (let power = bottom + (kind === "ulp" ? 0 : step); power <= top; power += step) {
    if (10 ** power <= high) ticks.push(10 ** power);
    if (-(10 ** power) >= low) ticks.unshift(-(10 ** power));
  }
  return ticks;
}

function tickText(tick, step) {
  if (tick === 0) return "0";
  const size = Math.abs(tick);
  if (size >= 1e5 || size < 1e-3) return exponent(tick, 3).replace("-", "−").replace("e-", "e−");
  const digits = step ? Math.max(0, Math.min(9, Math.ceil(-Math.log10(step) - 1e-9))) : 0;
  return tick.toFixed(digits).replace("-", "−");
}

/** Whether `values` span too much for a linear axis. */
function wide(values) {
  const sizes = values.filter(Number.isFinite).map(Math.abs);
  return Math.max(...sizes) > 1e4;
}

/** The axes of a plot and its two scales; `kinds` and `frame` as in `scale` and `PLOT`. */
function axes(xs, ys, kinds, name, frame) {
  const [left, right] = [frame.left, frame.width - frame.right];
  const [top, bottom] = [frame.top, frame.height - frame.bottom];
  const x = scale(xs, left + 5, right - 5, kinds[0]);
  const y = scale(ys, bottom - 5, top + 5, kinds[1]);
  const across = apart(x, (tick) => x.text(tick).length * 6.5 + 6);
  const up = apart(y, () => 15);
  const group = svg("g", { class: "axes" },
    svg("rect", { x: left, y: top, width: right - left, height: bottom - top }),
    across.map((tick) => rule(tick, { x1: x.at(tick), x2: x.at(tick), y1: top, y2: bottom })),
    up.map((tick) => rule(tick, { x1: left, x2: right, y1: y.at(tick), y2: y.at(tick) })),
    across.map((tick) =>
      svg("text", { x: x.at(tick), y: bottom + 15, "text-anchor": "middle" }, x.text(tick))),
    up.map((tick) => svg("text", { x: left - 6, y: y.at(tick) + 4, "text-anchor": "end" }, y.text(tick))),
    svg("text", { x: right, y: bottom + 28, "text-anchor": "end", class: "title" }, name));
  return { x, y, group, bottom: y.at(0) };
}

function rule(tick, ends) {
  return svg("line", { ...ends, class: tick ? null : "zero" });
}

/** The ticks that stand at least `room` pixels apart, zero before all others. */
function apart({ at, ticks }, room) {
  const kept = [];
  for (const tick of [...ticks].sort((a, b) => !!a - !!b)) {
    if (kept.every((one) => Math.abs(at(one) - at(tick)) >= (room(one) + room(tick)) / 2)) kept.push(tick);
  }
  return kept;
}

/** A line through points; open where one is not finite, or where `breaks(i)` says so before point i. */
function line(xs, ys, { x, y }, name, breaks = () => false) {
  let path = "";
  let pen = false;
  ys.forEach((value, i) => {
    if (!Number.isFinite(value)) { pen = false; return; }
    path += `${pen && !breaks(i) ? "L" : "M"}${x.at(xs[i]).toFixed(1)} ${y.at(value).toFixed(1)}`;
    pen = true;
  });
  return svg("path", { d: path, class: `line ${name}` });
}

/** A dot for each value; a triangle at the edge for an infinity, a cross at the bottom for NaN. */
function dots(xs, ys, { x, y }, name) {
  return svg("g", { class: `dots ${name}` }, ys.map((value, i) => {
    if (value === undefined) return null;
    const [px, py] = [x.at(xs[i]), y.at(value)];
    if (Number.isFinite(value)) return svg("circle", { cx: px.toFixed(1), cy: py.toFixed(1), r: 2.4 });
    if (Number.isNaN(value)) return svg("path", { class: "odd", d: `M${px - 3} ${py - 8}l6 6m0-6l-6 6` });
    const tip = value > 0 ? 1 : -1;
    return svg("path", { class: "odd full", d: `M${px - 4} ${py + 7 * tip}h8l-4 ${-7 * tip}z` });
  }));
}

/** A plot as a figure: an SVG that says in words what it shows, and a caption. */
function figurePlot(title, frame, ...children) {
  return el("figure", { class: "plot" },
    el("figcaption", null, title),
    svg("svg", { viewBox: `0 0 ${frame.width} ${frame.height}`, role: "img", "aria-label": title }, children));
}

/** A function (solid) and its slope (dashed); open at the knees. */
function functionPlot(family, frame = { ...PLOT, width: 420, height: 260, left: 40 }) {
  const { x: xs, y: ys, slope } = family.curve;
  const at = axes(xs, [...ys, ...slope, 0], ["linear", "linear"], "x", frame);
  const knee = (i) => xs[i] - xs[i - 1] < 1e-4;
  return el("div", { class: "function-plot" },
    svg("svg", { viewBox: `0 0 ${frame.width} ${frame.height}`, role: "img",
      "aria-label": `${family.name} and its derivative from ${xs[0]} to ${xs.at(-1)}` },
    at.group, line(xs, slope, at, "slope", knee), line(xs, ys, at, "value", knee)),
    el("p", { class: "key" }, key("value", "f(x)"), key("slope", "f′(x)")));
}

function key(name, text) {
  return el("span", { class: "entry" }, svg("svg", { viewBox: "0 0 28 10", "aria-hidden": "true" },
    name === "actual" ? svg("g", { class: "dots actual" }, svg("circle", { cx: 14, cy: 5, r: 3 }))
      : svg("path", { d: "M1 5h26", class: `line ${name}` })), text);
}

/** The function alone, small; nothing where it is not one of a single variable. */
function sparkline(curve) {
  const frame = { width: 40, height: 22, left: 1, right: 1, top: 2, bottom: 2 };
  const box = svg("svg", { class: "spark", viewBox: "0 0 40 22", "aria-hidden": "true", focusable: "false" });
  if (curve) {
    const x = scale(curve.x, frame.left, frame.width - frame.right, "linear");
    const y = scale(curve.y, frame.height - frame.bottom, frame.top, "linear");
    box.append(line(curve.x, curve.y, { x, y }, "value", (i) => curve.x[i] - curve.x[i - 1] < 1e-4));
  }
  return box;
}

/** The plots of one input class: values and error, over all of it and around the worst point. */
function comparisonPlots(name, curve, comparison) {
  const points = numeric(curve);
  const worst = comparison.worst ? Number(comparison.worst.input) : NaN;
  const near = around(points, worst);
  const parts = near.input.length < points.input.length
    ? [["whole class", points], ["around the worst point", near]] : [["all points", points]];
  return el("div", { class: "plots" },
    el("p", { class: "key" }, key("expected", "expected (eager)"), key("actual", "actual (exported)"),
      key("worst", "worst point"),
      `${points.input.length} of ${comparison.total} points: the worst of each stretch, `
      + "and the neighbours of the worst of all"),
    el("div", { class: "pair" }, parts.map(([where, some]) =>
      valuesPlot(`${name}: values, ${where}`, some, worst))),
    el("div", { class: "pair" }, parts.map(([where, some]) =>
      errorPlot(`${name}: error in ULP, ${where}`, some, worst))),
    pointTable(points));
}

function numeric(curve) {
  const read = (one) => (typeof one === "number" ? one : { inf: Infinity, "-inf": -Infinity }[one] ?? NaN);
  return Object.fromEntries(Object.entries(curve).map(([name, values]) => [name, values.map(read)]));
}

function around(points, worst) {
  const distance = points.input.map((one) => Math.abs(one - worst));
  const at = distance.indexOf(Math.min(...distance));
  const [from, to] = [Math.max(0, at - NEIGHBOURS), at + NEIGHBOURS + 1];
  return Object.fromEntries(Object.entries(points).map(([name, values]) => [name, values.slice(from, to)]));
}

function valuesPlot(title, points, worst) {
  const ys = [...points.actual, ...points.expected];
  const kinds = [wide(points.input) ? "power" : "linear", wide(ys) ? "power" : "linear"];
  const at = axes(points.input, ys, kinds, "input", PLOT);
  return figurePlot(title, PLOT, at.group, worstLine(at, points, worst),
    line(points.input, points.expected, at, "expected"), dots(points.input, points.expected.map(odd), at, "expected"),
    dots(points.input, points.actual, at, "actual"));
}

/** A value only where it is not finite, for a line cannot show it; `undefined` draws nothing. */
function odd(value) {
  return Number.isFinite(value) ? undefined : value;
}

function errorPlot(title, points, worst) {
  const kinds = [wide(points.input) ? "power" : "linear", "ulp"];
  const at = axes(points.input, [0, 10, ...points.ulp], kinds, "input", PLOT);
  const stems = points.ulp.map((ulp, i) =>
    `M${at.x.at(points.input[i]).toFixed(1)} ${at.bottom}V${at.y.at(ulp).toFixed(1)}`);
  return figurePlot(title, PLOT, at.group, worstLine(at, points, worst),
    svg("path", { d: stems.join(""), class: "line stems" }), dots(points.input, points.ulp, at, "error"));
}

function worstLine({ x }, points, worst) {
  if (!Number.isFinite(worst) || !points.input.length) return null;
  const px = x.at(worst);
  return svg("line", { class: "worst", x1: px, x2: px, y1: PLOT.top, y2: PLOT.height - PLOT.bottom });
}

/** The same points as numbers, made when it is opened. */
function pointTable(points) {
  const details = el("details", { ontoggle: () => {
    if (!details.open || details.querySelector("table")) return;
    details.append(table(["input", "actual", "expected", "ULP"], points.input.map((one, i) =>
      [one, points.actual[i], points.expected[i], points.ulp[i]].map((value, at) =>
        at < 3 ? String(value) : number(value)))));
  } }, el("summary", null, "the points as a table"));
  return details;
}
