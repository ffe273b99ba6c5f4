from __future__ import annotations

import json

import numpy as np
import pytest

from exportcheck.exhaustive import line
from exportcheck.exhaustive.drawing import draw, figures_to_json
from exportcheck.exhaustive.figures import Figures, Gap, Judged, RunFigures
from exportcheck.exhaustive.proof import Outcome, joined, profile

ONE = 0x3F800000 // line.PIECE


def bits(*values: float) -> tuple[int, ...]:
    return tuple(int(np.float32(v).view(np.uint32)) for v in values)


def whole(run: RunFigures, count: int = line.COUNT, **facts):
    """All pieces without a difference, but for that of 1.0."""
    pieces = {p: Figures(runs={"t/r": RunFigures()}) for p in line.outward()[:count]}
    pieces[ONE] = Figures(runs={"t/r": run})
    proof = joined(pieces, truth=True, refused={}, **facts)
    return proof, proof.figures.runs["t/r"]


ALL = "correct on all 4 294 967 296 inputs within"
POINT = "0.5 where eager gives 0.25 at x = 1.5"
AT = bits(1.5, 0.5, 0.25)
BEYOND = "but for inputs beyond 1e30, subnormal or NaN: inf-made 2"
OUTCOMES = [
    (RunFigures(), Outcome.ULP, f"{ALL} 0 ULP"),
    (RunFigures(Gap(2, AT, 5)), Outcome.ULP, f"{ALL} 2 ULP"),
    (RunFigures(Gap(5000, AT, 5)), Outcome.TOLERANCE, f"{ALL} tolerance; up to 5 000 ULP: {POINT}"),
    (
        RunFigures(Gap(inf=3), judged=Judged(noted={"eager-off": 1, "inf-made": 2})),
        Outcome.TOLERANCE,
        f"{ALL} tolerance; eager itself is off at 1 of them; {BEYOND}",
    ),
    (
        RunFigures(judged=Judged(12345, AT, {"finite": 12345})),
        Outcome.REFUTED,
        f"wrong at 12 345 of 4 294 967 296 inputs; the first counterexample: {POINT}",
    ),
]


@pytest.mark.parametrize(("run", "outcome", "sentence"), OUTCOMES)
def test_each_outcome_in_words(run, outcome, sentence):
    proof, figures = whole(run)
    assert proof.outcome(figures) is outcome
    assert proof.sentence(figures) == sentence


def test_one_piece_less_is_no_proof():
    proof, figures = whole(RunFigures(), line.COUNT - 1)
    assert proof.outcome(figures) is Outcome.PARTIAL
    assert proof.sentence(figures) == (
        "no counterexample in the 4 293 918 720 of 4 294 967 296 inputs tried so far"
    )


def test_a_counterexample_counts_before_all_is_tried():
    proof, figures = whole(RunFigures(judged=Judged(1, bits(1, 2, 3))), 10)
    assert proof.outcome(figures) is Outcome.REFUTED


def test_the_profile_goes_from_left_to_right():
    proof, _ = whole(RunFigures(Gap(2, bits(1.5, 2.0, 2.1)), Gap(7, bits(1.5, 2.0, 2.1))))
    places = line.rightward()
    for side, ulp in (("eager", 2), ("float64", 7)):
        values = profile(proof, "t/r", side)
        assert values[places.index(ONE)] == ulp == sum(values)
    assert set(profile(proof, "", "")) == {0}
    assert None in profile(whole(RunFigures(), 10)[0], "t/r", "eager")


def test_a_drawing_is_well_formed_and_shows_where_the_error_is():
    from xml.etree import ElementTree

    proof, _ = whole(RunFigures(Gap(2, bits(1.5, 2.0, 2.1))))
    root = ElementTree.fromstring(draw("a<b>&c", proof))
    texts = [e.text for e in root.iter() if e.tag.endswith("text")]
    assert any("a<b>&c" in text for text in texts)
    assert {"t/r, beside eager", "t/r, beside float64", "eager, beside float64"} <= set(texts)
    drawn = [e.get("d") for e in root.iter() if e.get("class") == "error"]
    assert [text.count("z") for text in drawn] == [0, 1, 0]


def test_all_figures_are_in_the_json():
    proof, _ = whole(RunFigures(Gap(2, bits(1.5, 2.0, 2.1))), 10)
    data = json.loads(figures_to_json("name", proof))
    assert data["tried"] == 11 * line.PIECE
    assert "no counterexample" in data["outcomes"]["t/r"]
    assert len(data["pieces"]) == 11
