"""Whose fault it is when numbers differ: second opinions on a case.

Runs only for cases that fail. A culprit is named only where the evidence decides it, and only of
the points at which it does, for one case may have several:

* the module gives other numbers the second time: random;
* eager is not what float64 says: eager, where the export is much nearer; else precision, for then
  the formula loses its digits in float32 whoever computes it;
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

from exportcheck.judge import described
from exportcheck.mismatch import Mismatch
from exportcheck.results import Blame, Culprit, Evidence
from exportcheck.subject import run_eager
from exportcheck.targets import targets
from exportcheck.targets.interface import Opinion, Run, Target

AGREES = "agrees with eager"
SAME = "the same wrong numbers"

_TEXTS = {
    Culprit.RUNTIME_OPTIMIZER: "{what}right by {other}",
    Culprit.RUNTIME_KERNEL: "{what}right by {other}",
    Culprit.PRECISION: "right without rounding to {precision}",
    Culprit.EXPORTER: "right by {other}",
}
"""The verdict's sentence where a second opinion agrees with eager; the culprit stands before it."""


@dataclass(frozen=True)
class _Share:
    """The points that one opinion decides.

    Attributes:
        culprit: who made them wrong.
        points: a mask.
        opinion: says so; None where float64 does, or nothing.
        right: whether the opinion agrees with eager there; else it repeats the wrong numbers.
    """

    culprit: Culprit
    points: np.ndarray
    opinion: Opinion | None = None
    right: bool = True


def blame_mismatch(case: Mismatch) -> Blame:
    """Who made the numbers of `case` differ, with the evidence."""
    random = _random(case)
    if random is not None:
        return random
    evidence: list[Evidence] = []
    shares = list(_shares(case, evidence))
    shares.sort(key=lambda share: -share.points.sum())
    said = [_said(share, case, evidence) for share in shares]
    if len(shares) > 1:
        said = [f"{text} ({_points(s.points, case)})" for s, text in zip(shares, said)]
    others = [f"{s.culprit.value}: {text}" for s, text in zip(shares[1:], said[1:])]
    first = shares[0].culprit
    also = dict.fromkeys(share.culprit for share in shares)
    return Blame(
        first,
        "; ".join([said[0], *others]),
        tuple(evidence),
        also=tuple(one for one in also if one not in (first, Culprit.UNDECIDED)),
    )


def _shares(case: Mismatch, evidence: list[Evidence]) -> Iterator[_Share]:
    """Who made which points wrong; `evidence` is what every opinion came to."""
    left = case.failing
    off, nearer = case.eager_off(), case.nearer()
    for culprit, points, what in (
        (Culprit.EAGER, off & nearer, "much nearer to the export than to eager"),
        (Culprit.PRECISION, off & ~nearer, "agrees with neither side"),
    ):
        if (left & points).any():
            evidence.append(Evidence("float64", _found(left & points, left, what)))
            yield _Share(culprit, left & points)
            left = left & ~points
    for opinion in _opinions(case):
        if not left.any():
            return
        for share in _asked(opinion, case, left, evidence):
            yield share
            left = left & ~share.points
    if left.any():
        yield _Share(Culprit.UNDECIDED, left)


def _found(points: np.ndarray, left: np.ndarray, what: str) -> str:
    """`agrees with eager`, or `agrees with eager at 3 of 5 points`."""
    count, total = int(points.sum()), int(left.sum())
    return what if count == total else f"{what} at {count} of {total} points"


def _points(points: np.ndarray, case: Mismatch) -> str:
    """`12 of 14 points, in grid, tails`."""
    count, total = int(points.sum()), int(case.failing.sum())
    names = [c.name for c in case.classes if (points & (case.class_names == c.name)).any()]
    return f"{count} of {total} points, in {', '.join(names)}"


def _random(case: Mismatch) -> Blame | None:
    """Eager twice and the export twice: other numbers the second time are nobody's mistake."""
    given = case.classes[0]
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

    with tempfile.TemporaryDirectory(prefix="exportcheck-") as folder:
        path = Path(folder) / f"model{target.suffix}"
        target.save(case.what.exported(target), path)
        return runtime.load(path).run


def _asked(
    opinion: Opinion, case: Mismatch, left: np.ndarray, evidence: list[Evidence]
) -> Iterator[_Share]:
    """What an opinion decides of the points that are left, and what it came to as evidence.

    One that explains less than half of them is wrong in a way of its own, and what it agrees with
    may be chance.
    """
    try:
        answers = case.answers(opinion.load())
        right = left & ~case.wrong(answers)
        same = left & ~right & case.repeated(answers)
    except Exception as error:  # an opinion that cannot be had is evidence of nothing, and said
        found = f"cannot be had: {described(error).splitlines()[0]}"
        evidence.append(Evidence(opinion.tried, found))
        return
    if 2 * (right | same).sum() < left.sum():
        evidence.append(Evidence(opinion.tried, "wrong in another way"))
        return
    words = [
        _found(points, left, what)
        for points, what in ((right, AGREES), (same, SAME))
        if points.any()
    ]
    evidence.append(Evidence(opinion.tried, ", ".join(words)))
    if right.any() and opinion.culprit is not None:
        yield _Share(opinion.culprit, right, _narrowed(opinion, case, right, evidence))
    if same.any() and opinion.independent:
        yield _Share(Culprit.EXPORTER, same, opinion, right=False)


def _right(run: Run, case: Mismatch, points: np.ndarray) -> bool:
    return not (case.wrong(case.answers(run)) & points).any()


def _narrowed(
    opinion: Opinion, case: Mismatch, points: np.ndarray, evidence: list[Evidence]
) -> Opinion:
    """The variant that leaves out one thing only, where that is enough to agree with eager."""
    variants = tuple(_variant_opinions(case))
    if opinion.tried in (variant.tried for variant in variants[:1]):
        for single in variants[1:]:
            if _right(single.load(), case, points):
                evidence.append(Evidence(single.tried, AGREES))
                return single
    return opinion


def _said(share: _Share, case: Mismatch, evidence: list[Evidence]) -> str:
    """The verdict on a share, down to the fusion or kernel where the runtime can tell."""
    if share.culprit is Culprit.UNDECIDED:
        return "no second opinion settles it"
    if share.opinion is None and share.culprit is Culprit.EAGER:
        return "float64 is much nearer to the export than to eager"
    if share.opinion is None:
        return "float64 agrees with neither side, for the formula loses its digits in float32"
    tried = share.opinion.tried
    if not share.right:
        return f"{tried}, gives the same wrong numbers"
    what = ""
    if share.culprit in (Culprit.RUNTIME_KERNEL, Culprit.RUNTIME_OPTIMIZER):
        what = _pinpointed(share, case, evidence)
    return _TEXTS[share.culprit].format(what=what, precision=case.target.precision, other=tried)


def _pinpointed(share: _Share, case: Mismatch, evidence: list[Evidence]) -> str:
    """`Sigmoid: ` or nothing, and a remark where looking for it failed."""
    agrees = partial(_right, case=case, points=share.points)
    try:
        inputs = case.batch_at(share.points)
        found = case.runtime.pinpoint(case.path, share.culprit, agrees, inputs)
    except Exception as error:  # the verdict stands without it
        evidence.append(Evidence("looking for the operator", described(error).splitlines()[0]))
        return ""
    return f"{found}: " if found else ""
