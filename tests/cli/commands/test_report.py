from __future__ import annotations

import dataclasses

import pytest

from exportcheck.reading import read
from exportcheck.render import formats
from exportcheck.render.json import render


def test_the_matrix_is_shown(cli, results):
    done = cli("report", results)
    assert done.code == 0
    assert "not as expected: 4 new, 1 fixed, 1 stale, 1 unfinished" in done.out


@pytest.mark.parametrize("name", sorted(set(formats()) - {"terminal"}))
def test_every_format_is_printed(cli, results, report, name):
    assert cli("report", results, "--format", name).out == formats()[name].render(report)


def test_formats_are_written(cli, results, report, tmp_path):
    done = cli("report", results, "-f", "markdown", "-f", "junit", "-o", tmp_path / "out")
    assert (done.code, done.out) == (0, "")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["junit.xml", "matrix.md"]


def test_it_stays_silent_on_github_unless_asked(cli, results, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::error" not in cli("report", results, "-f", "markdown").out.splitlines()[0]
    assert "::notice" not in cli("report", results, "-f", "markdown").out


def test_several_are_merged(cli, results, report, tmp_path):
    names = {"target": "coreml-fp32", "runtime": "coreml"}
    there = dataclasses.replace(
        report.results[1], case=dataclasses.replace(report.results[1].case, **names)
    )
    other = tmp_path / "mac.json"
    mac = dataclasses.replace(report, results=(there,), environment={"platform": "Darwin"})
    other.write_text(render(mac), "utf-8")
    done = cli("report", results, other, "-f", "csv")
    assert done.code == 0
    assert "coreml,torch-2.13,Darwin,pass" in done.out


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "is empty"), ("{", "is truncated"), ("[]", "no result file"), ("<a>", "is not JSON")],
)
def test_what_is_no_result_file_is_one_line_and_2(cli, tmp_path, content, words):
    path = tmp_path / "x.json"
    path.write_text(content)
    done = cli("report", path)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert str(path) in done.err
    assert words in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "pdf"], "no format 'pdf'"),
        (["-f", "csv", "-f", "json"], "--output FOLDER"),
        (["--output", "{results}"], "is a file"),
    ],
)
def test_wrong_usage(cli, results, arguments, words):
    done = cli("report", results, *(a.format(results=results) for a in arguments))
    assert done.code == 2
    assert words in done.err


@pytest.mark.slow
def test_a_hundred_thousand_cells(cli, results, tmp_path):
    report = read(results)
    one = report.results[1]
    cells = tuple(
        dataclasses.replace(one, case=dataclasses.replace(one.case, activation=f"a{n}"), family="")
        for n in range(100_000)
    )
    path = tmp_path / "big.json"
    path.write_text(render(dataclasses.replace(report, results=cells)), "utf-8")
    done = cli("report", path)
    assert done.code == 0
    assert "100000 cases: 100000 pass" in done.out
