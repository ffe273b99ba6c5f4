from __future__ import annotations

import json

import pytest

from exportcheck.errors import UsageError
from exportcheck.explain.costs import machine, machine_text, read_costs, to_text
from exportcheck.explain.times import CONTROL, lay_out
from tests.explain.costs import COSTS

TIMES = lay_out(COSTS["hardswish"])


def test_ratios_stand_beside_their_spread():
    assert TIMES.heads == (("onnxruntime", "1x64x80x80", 100.0),)
    (cell,) = TIMES.rows["hardswish-hardtanh"]
    assert cell.text == "1.80 (1.70–1.90)"
    assert cell.differs == 1


def test_no_difference_is_said_where_noise_is_as_large():
    assert TIMES.rows["hardswish-relu6"][0].differs == 0
    assert TIMES.rows[CONTROL][0].differs == 0


def test_what_could_not_be_timed_has_its_reason():
    assert TIMES.refused == (
        ("hardswish-inplace", "onnxruntime", "1x64x80x80", "RuntimeError: no"),
    )


def test_written_and_read_they_are_the_same(tmp_path):
    path = tmp_path / "cost.json"
    path.write_text(to_text(COSTS), "utf-8")
    assert read_costs(path) == COSTS
    assert to_text(read_costs(path)) == path.read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("[]", "where object was expected"),
        (json.dumps({"schema": "2.0", "families": {}}), "has schema '2.0'"),
        (json.dumps({"schema": "1.0", "families": {"a": {}}}), r"families\.a\.machine: is missing"),
    ],
)
def test_what_are_no_costs(tmp_path, text, complaint):
    path = tmp_path / "c.json"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=complaint):
        read_costs(path)


def test_the_machine_is_named():
    found = machine()
    assert found["threads"] == 1
    assert found["versions"]["torch"] in machine_text(found)
