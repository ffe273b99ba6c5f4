// One function: what it is, its forms, their history, what failed, what they cost.

/** The page of a family. */
function familyPage(family) {
  return [el("article", { class: "family-page" },
    el("header", { class: "family-head" },
      el("h2", null, family.name),
      el("p", null, el("code", null, family.formula), " · ", sourceLinks(family.source)),
      family.verdict.map((one) => el("p", { class: "in-short" }, one))),
    el("div", { class: "family-top" },
      family.curve ? functionPlot(family)
        : el("p", { class: "none" }, "Each output depends on many inputs, so there is no curve to draw."),
      el("div", { class: "forms" }, family.forms.map(formCode))),
    family.strips.length ? part("History, as measured", historyOf(family)) : null,
    sentences("When another form was needed", family.needed),
    sentences("What failed, in the words of that day", family.failed),
    sentences("What differs where it works with a note", family.noted),
    sentences(`The other forms beside it today (${family.newest})`, family.now),
    family.times ? part("Time, beside the native form", timesTable(family)) : null,
    family.missing.length ? part("Not known", el("ul", { class: "notes" },
      family.missing.map((one) => el("li", null, one)))) : null)];
}

/** The strips in which something happened, the others folded away, and the legend. */
function historyOf(family) {
  const quiet = family.strips.filter((strip) => strip.quiet);
  const [first, ...others] = family.strips.filter((strip) => !strip.quiet);
  return [first && stripTable(first), legendOf(), ...others.map(stripTable), quiet.length ? el("details", { class: "quiet" },
    el("summary", null, family.quiet), quiet.map(stripTable)) : null].filter(Boolean);
}

/** Papers and projects as links. */
function sourceLinks(source) {
  return source.split(", ").map((one, place) => {
    const paper = /^arXiv:([\w.]+)$/.exec(one);
    const text = paper ? el("a", { href: `https://arxiv.org/abs/${paper[1]}`, rel: "noreferrer" }, one) : one;
    return [place ? ", " : null, text];
  }).flat();
}

function sentences(heading, found) {
  if (!found.length) return null;
  return part(heading, el("ul", { class: "sentences" }, found.map(([text, quote, command]) => el("li", null,
    el("p", null, text),
    quote ? el("blockquote", null, quote) : null,
    el("details", null, el("summary", null, "measure it again"), commandLine(command))))));
}

function formCode(form) {
  return el("details", { class: "form-code" },
    el("summary", null, el("strong", null, form.name), " ", kindTag(form.kind), " ", el("code", null, form.formula)),
    el("pre", null, form.code), el("p", { class: "aside" }, "Source: ", sourceLinks(form.source)));
}

function timesTable(family) {
  const { reference, heads, rows, refused } = family.times;
  const head = [["Form"], ...heads].map(([runtime, shape]) => [runtime, shape ? [el("br"), shape] : null]);
  const own = [reference, ...heads.map((one) => `${one[2]} µs`)];
  const others = rows.map(([form, cells]) => [form, ...cells.map((cell) => cell
    ? el("span", { class: `time ${["faster", "", "slower"][cell[1] + 1]}` }, cell[0]) : "–")]);
  return [table(head, [own, ...others], { class: "plain figures" }),
    el("p", { class: "aside" }, `How many times as long as ${reference} in the same round: median, and in `,
      "brackets where the middle half of the rounds lies. The control is ", reference, " against itself. ",
      `Measured on ${family.timed_on}; says nothing of a phone.`),
    refused.length ? el("ul", { class: "notes" }, refused.map(([form, runtime, shape, reason]) =>
      el("li", null, `${form}, ${runtime}, ${shape}: ${reason}`))) : null,
    commandLine(family.time_command)];
}
