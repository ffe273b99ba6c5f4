from __future__ import annotations

import json
import random

import pytest

from exportcheck.errors import UsageError
from exportcheck.reading import read
from exportcheck.records import SCHEMA, report_to_json, result_to_json
from exportcheck.render.json import render


@pytest.fixture
def path(tmp_path):
    return tmp_path / "matrix.json"


def complaint(path, text: str | bytes) -> str:
    """What reading a file of this content says; always one line that names the file."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_was_written_is_read(path, report):
    path.write_text(render(report), "utf-8")
    assert render(read(path)) == render(report)


@pytest.mark.parametrize("text", ["", " \n"])
def test_empty(path, text):
    assert "is empty" in complaint(path, text)


def test_missing_and_a_folder(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*: No such file"):
        read(tmp_path / "none.json")
    with pytest.raises(UsageError, match="cannot read"):
        read(tmp_path)


def test_binary(path):
    assert "is no text, see byte 1" in complaint(path, b"{\xff")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<html>", "is not JSON at line 1, column 1"),
        ('{"schema": "1.0",\n oops ' + "x" * 20, "is not JSON at line 2, column 2"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "JSON but no result file"),
        ("3", "JSON but no result file"),
        ('{"results": []}', "JSON but no result file"),
        ('{"schema": "1.0"}', "JSON but no result file"),
        ('{"$schema": "x", "schema": {}, "results": []}', "schema {}"),
    ],
)
def test_foreign(path, text, words):
    assert words in complaint(path, text)


def test_truncated_wherever(path, report):
    text = render(report).rstrip()
    cuts = random.Random(0).sample(range(1, len(text)), 200)
    for cut in (*cuts, len(text) - 1):
        said = complaint(path, text[:cut])
        assert "is truncated: its JSON ends at line" in said, (cut, said)


@pytest.mark.parametrize(
    ("schema", "words"),
    [("2.0", "update exportcheck"), ("0.9", "run `exportcheck all` anew"), (None, "schema None")],
)
def test_another_major_version(path, report, schema, words):
    said = complaint(path, json.dumps({**report_to_json(report), "schema": schema}))
    assert words in said
    assert f"reads {SCHEMA.split('.')[0]}.*" in said


def test_a_newer_minor_version_is_read_whatever_it_adds(path, report):
    data = report_to_json(report)
    data["schema"] = "1.99"
    data["more"] = {"x": 1}
    for one in data["results"]:
        one["more"] = [1]
        for name in {"blame", "known"} & set(one):
            one[name] = {**one[name], "more": 1}
    path.write_text(json.dumps(data))
    assert [r.id for r in read(path).results] == [r.id for r in report.results]


def test_version_1_0_is_read(path, report):
    """It had no limitations, no machines, no curves and no unfinished cases."""
    data = report_to_json(report)
    old = {k: data[k] for k in ("environment", "counts", "results")}
    for one in old["results"]:
        for name in ("known", "machine", "curves"):
            one.pop(name, None)
    path.write_text(json.dumps({"schema": "1.0", **old}))
    seen = read(path)
    assert (seen.known, seen.unfinished, seen.stale) == ((), (), ())
    assert [r.status for r in seen.results] == [r.status for r in report.results]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: d.pop("environment"), "environment: is missing"),
        (lambda d: d["results"][2].pop("status"), "results[2].status: is missing"),
        (lambda d: d["results"][2].update(status=7), "results[2].status: 7 is none of pass"),
        (
            lambda d: d["results"][0]["comparisons"]["grid"].pop("worst"),
            "results[0].comparisons.grid.worst: is missing",
        ),
        (lambda d: d.update(results={}), "results: {} where array was expected"),
    ],
)
def test_missing_and_wrong_values_are_placed(path, report, spoil, words):
    data = report_to_json(report)
    spoil(data)
    assert words in complaint(path, json.dumps(data))


def test_the_same_case_twice(path, report):
    data = report_to_json(report)
    data["results"].append(data["results"][1])
    last = len(data["results"]) - 1
    assert f"results[1] and results[{last}] are the same case" in complaint(path, json.dumps(data))


@pytest.mark.slow
def test_a_hundred_thousand_cells_are_read(path, report):
    one = json.dumps(result_to_json(report.results[0]))
    cells = (one.replace("logsigmoid", f"a{number}") for number in range(100_000))
    path.write_text(f'{{"schema": "1.1", "environment": {{}}, "results": [{",".join(cells)}]}}')
    assert len(read(path).known) == 100_000
