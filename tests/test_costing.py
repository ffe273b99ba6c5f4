"""What is measured, never how long it took: a test of times would fail on a busy machine."""

from __future__ import annotations

import pytest

from exportcheck import costing
from exportcheck.explain.costs import SCHEMA, machine, read_costs, to_text
from exportcheck.timing import Timed

pytestmark = pytest.mark.filterwarnings("ignore")  # of the exporters, on themselves

SMALL = ((1, 4, 3, 3), (1, 8, 2, 2))


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(costing, "SHAPES", SMALL)


def test_every_runtime_and_shape_with_a_control(small, tmp_path):
    found = costing.measure_costs("silu", 4)
    places = [(one["runtime"], tuple(one["shape"])) for one in found["measurements"]]
    assert places == [(r, s) for s in SMALL for r in ("eager", "libtorch", "onnxruntime")]
    for one in found["measurements"]:
        assert costing.CONTROL in one["ratios"]
        assert found["reference"] not in one["ratios"]
        assert set(one["median_us"]) == {*one["ratios"], "silu"}
        assert all(r["q1"] <= r["median"] <= r["q3"] for r in one["ratios"].values())
    path = tmp_path / "cost.json"
    path.write_text(to_text({"silu": {"machine": machine(), **found}}), "utf-8")
    assert read_costs(path)["silu"]["rounds"] == 4
    assert SCHEMA == "1.0"


def test_what_cannot_be_exported_is_refused_with_its_reason(small):
    found = costing.measure_costs("mish", 4)
    refused = [(one["form"], one["runtime"]) for one in found["refused"]]
    assert refused == [("mish-memory-efficient", "libtorch")] * 2
    assert all("Could not export Python function" in one["reason"] for one in found["refused"])


def test_what_cannot_take_the_shapes_has_no_figures(small):
    found = costing.measure_costs("prelu-per-channel", 4)
    assert {tuple(one["shape"]) for one in found["measurements"]} == {SMALL[1]}
    assert {tuple(one["shape"]) for one in found["refused"]} == {SMALL[0]}


def test_bytes_for_backward_are_those_of_the_shape(small):
    first, second = costing.measure_costs("silu", 4)["saved"]
    numbers = 4 * 3 * 3
    assert first["bytes"]["silu"] == first["bytes"]["silu-memory-efficient"] == 4 * numbers
    assert first["bytes"]["silu-sigmoid"] == 8 * numbers
    assert second["bytes"]["silu"] == 4 * 32


def test_an_in_place_form_gets_its_input_anew(small, monkeypatch):
    """Or it would be timed on what it made of its own output."""
    seen = []

    def watched(functions, rounds):
        for name, timed in functions.items():
            timed.prepare()
            first = timed.run().clone()
            timed.prepare()
            seen.append((name, bool((first == timed.run()).all())))
        return {name: [1.0] * rounds for name in functions}

    monkeypatch.setattr(costing, "take_turns", watched)
    monkeypatch.setattr(costing, "EXPORTED_BY", {})
    costing.measure_costs("hardswish", 4)
    assert ("hardswish-inplace", True) in seen
    assert all(same for _, same in seen)
    assert Timed(lambda: 1).prepare() is None
