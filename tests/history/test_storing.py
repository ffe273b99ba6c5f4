from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from exportcheck.errors import UsageError
from exportcheck.explain.costs import read_costs
from exportcheck.history.adding import added, runs_of
from exportcheck.history.storing import read_history, to_text
from tests.history.runs import ONNX12, PASS, REFUSED, cell, history, report

EIGHT = "torch-1.8"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "history.json"
    path.write_text(to_text(history()), "utf-8")
    return path


def blocks(text):
    """The text of each run, from the line that names it to the brace that ends it."""
    return dict(re.findall(r'^  "(torch-.*?)": (.*?)^  }', text, re.MULTILINE | re.DOTALL))


def test_written_and_read_it_is_the_same(file):
    assert read_history(file) == history()
    assert to_text(read_history(file)) == file.read_text("utf-8")


def test_adding_a_run_leaves_the_bytes_of_all_others(file):
    one = runs_of(report(cell(EIGHT, "relu", ONNX12, REFUSED)), "r.json")
    after, _ = added(read_history(file), one, replace=True)
    before, now = blocks(file.read_text("utf-8")), blocks(to_text(after))
    assert list(before) == list(now) == sorted(before)
    assert [name for name in before if before[name] != now[name]] == [EIGHT]


def test_a_new_run_too(file):
    before = blocks(to_text(history("torch-1.5", EIGHT)))
    after = blocks(file.read_text("utf-8"))
    assert len(before) == 2
    assert {name: after[name] for name in before} == before


def test_a_form_is_a_line(file):
    lines = [line.strip() for line in file.read_text("utf-8").splitlines()]
    assert sum(line.startswith('"hardswish": {') for line in lines) == len(history().runs)
    assert not [line for line in lines if len(line) > 1000]


def test_what_a_newer_minor_version_has_more_stays(file):
    data = json.loads(file.read_text("utf-8"))
    data["schema"] = "1.7"
    data["runs"][EIGHT]["more"] = [1]
    file.write_text(json.dumps(data), "utf-8")
    one = runs_of(report(cell("torch-1.5", "relu", ONNX12, PASS)), "r.json")
    after, _ = added(read_history(file), one, replace=True)
    assert after.data[EIGHT]["more"] == [1]


def broken(change):
    data = json.loads(to_text(history()))
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ('{"schema": "1.0"', "is truncated"),
        ("[]", "no history"),
        ('{"schema": 1}', "no history"),
        ('{"schema": "2.0", "runs": {}}', r"schema '2\.0', this exportcheck reads 1\.0"),
        ('{"schema": "1.0"}', "runs: is missing"),
        (
            broken(lambda d: d["runs"][EIGHT]["outcomes"][0].update(status="fine")),
            r"runs\.torch-1\.8\.outcomes\[0\]\.status: 'fine' is none of pass",
        ),
        (
            broken(lambda d: d["runs"][EIGHT]["forms"]["relu"]["cells"].update(bare=[99])),
            r"runs\.torch-1\.8\.forms\.relu\.cells\.bare does not fit",
        ),
        (
            broken(lambda d: d["runs"][EIGHT]["versions"].update(torch="banana")),
            r"runs\.torch-1\.8\.versions\.torch: 'banana' is no version",
        ),
        (
            broken(lambda d: d["runs"][EIGHT]["columns"].append("onnx-trace-opset9/onnxruntime")),
            "does not fit the columns",
        ),
    ],
)
def test_what_is_no_history(tmp_path, text, complaint):
    path = tmp_path / "h.json"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=complaint) as error:
        read_history(path)
    assert str(path) in str(error.value)


def test_no_such_file(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*No such file"):
        read_history(tmp_path / "none.json")


@pytest.mark.parametrize("read", [read_history, read_costs])
def test_a_device_that_never_ends_is_not_read(read):
    with pytest.raises(UsageError, match="/dev/full is no regular file"):
        read(Path("/dev/full"))
