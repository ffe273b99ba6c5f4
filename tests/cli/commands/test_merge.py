from __future__ import annotations

import dataclasses

import pytest

from exportcheck.reading import read
from exportcheck.render.json import render
from exportcheck.results import Status


@pytest.fixture
def mac(tmp_path, report):
    """One cell of another machine."""
    case = dataclasses.replace(report.results[1].case, target="coreml-fp32", runtime="coreml")
    results = (dataclasses.replace(report.results[1], case=case),)
    environment = {"platform": "Darwin", "machine": "arm64"}
    path = tmp_path / "mac.json"
    path.write_text(
        render(dataclasses.replace(report, results=results, environment=environment)), "utf-8"
    )
    return path


def test_two_machines(cli, results, mac, tmp_path, report):
    joined = tmp_path / "new" / "all.json"
    done = cli("merge", results, mac, "-o", joined)
    assert (done.code, done.out) == (0, f"10 results in {joined}\n")
    machines = [r.machine for r in read(joined).results]
    assert machines == ["unknown machine"] * len(report.results) + ["Darwin arm64"]


def test_contradictions(cli, results, tmp_path, report):
    other = tmp_path / "other.json"
    wrong = dataclasses.replace(report.results[1], status=Status.ERROR)
    other.write_text(render(dataclasses.replace(report, results=(wrong,))), "utf-8")
    done = cli("merge", results, other, "-o", tmp_path / "all.json")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "contradict each other" in done.err
    assert not (tmp_path / "all.json").exists()


def test_the_output_must_be_a_file(cli, results, tmp_path):
    assert "is a folder" in cli("merge", results, "-o", tmp_path).err
    assert cli("merge", results).code == 2
