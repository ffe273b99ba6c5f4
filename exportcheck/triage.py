"""Whose fault it is when numbers differ: second opinions on a case.

Runs only for cases that fail. A culprit is named only where the evidence decides it:

* the module gives other numbers the second time: random;
* float64 sides with the export at every point that differs: eager;
* a second opinion agrees with eager: whoever it leaves out is guilty (optimizer, kernel, precision,
  the exporter where only the exporter differs);
* an independent evaluator repeats the wrong numbers from the same file: exporter.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Iterator, Mapping

import numpy as np

from exportcheck.compare import Tolerance
from exportcheck.inputs import InputClass
from exportcheck.judge import class_of, compared, described
from exportcheck.results import Blame, Comparison, Culprit, Evidence
from exportcheck.subject import Expected, Subject, run_eager
from exportcheck.targets import targets
from exportcheck.targets.interface import Arrays, Opinion, Run, Runtime, Target

AGREES = "agrees with eager"

_TEXTS = {
    Culprit.RUNTIME_OPTIMIZER: "{what}right by {other}",
    Culprit.RUNTIME_KERNEL: "{what}right by {other}",
    Culprit.PRECISION: "right without rounding to {precision}",
    Culprit.EXPORTER: "right by {other}",
}
"""The verdict's sentence where a second opinion agrees with eager; the culprit stands before it."""


@dataclass(frozen=True)
class Mismatch:
    """A case whose numbers differ, with all it takes to ask for second opinions.

    Attributes:
        what: the activation in its network.
        inputs: the input classes it was run on.
        target: how it was exported.
        runtime: what ran it.
        path: the saved file.
        run: the loaded model.
        outputs: what it answered, by input class.
        comparisons: how that was judged.
        tolerance: by which.
    """

    what: Subject
    inputs: tuple[InputClass, ...]
    target: Target
    runtime: Runtime
    path: Path
    run: Run
    outputs: Mapping[str, Arrays]
    comparisons: Mapping[str, Comparison]
    tolerance: Tolerance

    @property
    def given(self) -> InputClass:
        """The most ordinary inputs that fail the case: what is guilty of these is guilty."""
        failed = {class_of(n) for n, c in self.comparisons.items() if c.gates and not c.close}
        return next(c for c in self.inputs if c.name in failed)

    @property
    def expected(self) -> Expected:
        """What eager answers to them."""
        return self.what.expected(self.target.precision)[self.given.name]

    @property
    def actual(self) -> Arrays:
        """What the exported model answers to them."""
        return self.outputs[self.given.name]

    def agrees(self, run: Run) -> bool:
        """Whether `run` agrees with eager on them."""
        given = self.given
        judged = compared(self.what, given, given.through(run), self.expected, self.tolerance)
        return all(comparison.close for _, comparison in judged if comparison.gates)

    def repeats(self, run: Run) -> bool:
        """Whether `run` gives the case's own wrong numbers, within tolerance."""
        return _alike(self.given.through(run), self.actual, self.tolerance)


def _alike(one: Arrays, other: Arrays, tolerance: Tolerance) -> bool:
    return len(one) == len(other) and all(
        a.shape == b.shape
        and np.allclose(a, b, rtol=tolerance.rtol, atol=tolerance.atol, equal_nan=True)
        for a, b in zip(one, other)
    )


def blame_mismatch(case: Mismatch) -> Blame:
    """Who made the numbers of `case` differ, with the evidence."""
    first = _random(case) or _eager(case)
    if first is not None:
        return first
    evidence: list[Evidence] = []
    for opinion in _opinions(case):
        found, culprit = _asked(opinion, case)
        evidence.append(Evidence(opinion.tried, found))
        if culprit is not None:
            opinion = _narrowed(opinion, case, evidence)
            return _named(culprit, opinion, case, tuple(evidence))
    text = "no second opinion settles it"
    return Blame(Culprit.UNDECIDED, text, tuple(evidence))


def _random(case: Mismatch) -> Blame | None:
    """Eager twice and the export twice: other numbers the second time are nobody's mistake."""
    given = case.given
    module = case.what.build()
    runs: Mapping[str, Run] = {
        "eager": lambda inputs: run_eager(module, inputs),
        case.target.name: case.run,
    }
    for name, run in runs.items():
        once, twice = given.through(run), given.through(run)
        if not all(_same(a, b) for a, b in zip(once, twice)):
            found = f"other numbers the second time, on the same {given.name} inputs"
            text = f"{name} gives {found}"
            return Blame(Culprit.RANDOM, text, (Evidence(f"{name}, twice", found),))
    return None


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays hold the same; `np.array_equal` takes no NaN for equal before 1.19."""
    return a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all())


def _eager(case: Mismatch) -> Blame | None:
    """float64 beside both: eager is to blame where it is the farther one at every such point."""
    rtol, atol = case.tolerance.rtol, case.tolerance.atol
    seen = False
    for actual, eager, truth in zip(case.actual, case.expected.outputs, case.expected.truth):
        if truth is None or actual.shape != eager.shape or eager.dtype.kind != "f":
            return None
        with np.errstate(all="ignore"):
            differs = ~np.isclose(actual, eager, rtol, atol, equal_nan=True)
            nearer = np.abs(actual - truth) < np.abs(eager - truth)
        if not nearer[differs].all():
            return None
        seen = seen or bool(differs.any())
    if not seen:
        return None
    found = "nearer to the export than eager is, at every point that differs"
    return Blame(Culprit.EAGER, f"float64 is {found}", (Evidence("float64", found),))


def _opinions(case: Mismatch) -> Iterator[Opinion]:
    yield from case.runtime.opinions(case.path)
    yield from islice(_variant_opinions(case), 1)
    yield from _sibling_opinions(case)


def _variant_opinions(case: Mismatch) -> Iterator[Opinion]:
    """The same exporter with as much as possible left out, then with one thing each."""
    for variant in getattr(case.target, "variants", ()):
        yield Opinion(variant.name, partial(_by_sibling, case, variant), Culprit.EXPORTER)


def _sibling_opinions(case: Mismatch) -> Iterator[Opinion]:
    for name, culprit in case.target.siblings.items():
        if name in targets():
            load = partial(_by_sibling, case, targets()[name])
            # What float32 gets wrong too is no matter of precision: the conversion is wrong.
            yield Opinion(name, load, culprit, independent=culprit is Culprit.PRECISION)


def _by_sibling(case: Mismatch, target: Target) -> Run:
    """The same network by another target, run by a runtime of the same name where it has one."""
    runtimes = {runtime.name: runtime for runtime in target.runtimes}
    runtime = runtimes.get(case.runtime.name, next(iter(runtimes.values())))

    def run(inputs: Arrays) -> Arrays:
        with tempfile.TemporaryDirectory(prefix="exportcheck-") as folder:
            path = Path(folder) / f"model{target.suffix}"
            target.save(case.what.exported(target), path)
            return runtime.load(path).run(inputs)

    return run


def _asked(opinion: Opinion, case: Mismatch) -> tuple[str, Culprit | None]:
    """What the opinion came to, and whom it convicts."""
    try:
        run = opinion.load()
        if case.agrees(run):
            return AGREES, opinion.culprit
        if case.repeats(run):
            return "the same wrong numbers", Culprit.EXPORTER if opinion.independent else None
    except Exception as error:  # an opinion that cannot be had is evidence of nothing, and said
        return f"cannot be had: {described(error).splitlines()[0]}", None
    return "wrong in another way", None


def _narrowed(opinion: Opinion, case: Mismatch, evidence: list[Evidence]) -> Opinion:
    """The variant that leaves out one thing only, where that is enough to agree with eager."""
    variants = tuple(_variant_opinions(case))
    if opinion.tried in (variant.tried for variant in variants[:1]):
        for single in variants[1:]:
            found, _ = _asked(single, case)
            if found == AGREES:
                evidence.append(Evidence(single.tried, found))
                return single
    return opinion


def _named(
    culprit: Culprit, opinion: Opinion, case: Mismatch, evidence: tuple[Evidence, ...]
) -> Blame:
    """The blame in a sentence, down to the fusion or kernel where the runtime can tell."""
    if evidence[-1].found != AGREES:
        text = f"{opinion.tried}, gives the same wrong numbers"
        return Blame(culprit, text, evidence)
    what = ""
    if culprit in (Culprit.RUNTIME_KERNEL, Culprit.RUNTIME_OPTIMIZER):
        what, remark = _pinpointed(culprit, case)
        evidence += remark
    text = _TEXTS[culprit].format(what=what, precision=case.target.precision, other=opinion.tried)
    return Blame(culprit, text, evidence)


def _pinpointed(culprit: Culprit, case: Mismatch) -> tuple[str, tuple[Evidence, ...]]:
    """`Sigmoid: ` or nothing, and a remark where looking for it failed."""
    inputs = _batch_of_worst(case)
    try:
        found = case.runtime.pinpoint(case.path, culprit, case.agrees, inputs)
    except Exception as error:  # the verdict stands without it
        return "", (Evidence("looking for the operator", described(error).splitlines()[0]),)
    return f"{found}: " if found else "", ()


def _batch_of_worst(case: Mismatch) -> Arrays:
    """The one batch of the inputs in which the point stands that differs most."""
    found = (c.worst for n, c in case.comparisons.items() if class_of(n) == case.given.name)
    rows = case.given.rows_of(next(found, None))
    return tuple(array[rows] for array in case.given.arrays)
