from __future__ import annotations

import io
import itertools

from rich.console import Console

from exportcheck.cli.proof_text import STRIP_LEGEND, compose
from exportcheck.exhaustive import line
from exportcheck.exhaustive.figures import Figures, Gap, RunFigures
from exportcheck.exhaustive.proof import joined
from tests.exhaustive.test_proof import ONE, bits


def shown(pieces, **facts) -> str:
    console = Console(file=io.StringIO(), width=160)
    proof = joined(pieces, **{"truth": True, "refused": {}, **facts})
    console.print(*compose("act", proof), sep="\n")
    return console.file.getvalue()


def test_runs_of_equal_figures_stand_together():
    runs = {name: RunFigures() for name in ("a/r", "b/r")}
    runs["c/r"] = RunFigures(Gap(3, bits(1.5, 2.0, 2.1), 1234))
    text = shown({ONE: Figures(runs=runs)})
    assert "a/r, b/r: no counterexample in the 1 048 576 of" in text
    assert "a/r and 1 more" in text
    row = next(row for row in text.splitlines() if row.strip().startswith("c/r") and "eager" in row)
    assert row.split()[2:] == ["3", "1.5", "2", "2.0999999", "1", "234", "0", "0", "0"]


def test_the_strip_marks_the_error_where_it_is():
    pieces = {p: Figures(runs={"a/r": RunFigures()}) for p in line.outward()}
    pieces[ONE] = Figures(runs={"a/r": RunFigures(Gap(2**30, bits(1.5, 2.0, 2.1)))})
    lines = shown(pieces, truth=False).splitlines()
    strip, scale = next((a, b) for a, b in itertools.pairwise(lines) if "3.4e38" in b)
    assert strip.strip("─ ") == "█"
    assert abs(strip.index("█") - scale.index(" 1 ") - 1) <= 1
    assert STRIP_LEGEND in lines[-1]


def test_what_was_not_tried_is_said():
    text = shown({ONE: Figures(runs={"a/r": RunFigures()})}, refused={"b/r": "no translation"})
    assert "b/r: not tried: no translation" in text
    assert "····" in text
