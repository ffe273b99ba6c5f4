"""What `all` makes of results; the workers are played by a table."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from exportcheck.cli import run as run_module
from exportcheck.environment import Environment
from exportcheck.errors import EnvironmentBroken
from exportcheck.limitations import SHIPPED, read_limitations
from exportcheck.reading import read
from exportcheck.results import Result, Stage, Status

CASES = ("relu/bare/torchscript-trace", "celu/bare/torchscript-trace", "celu/conv/torch-export")
SELECT = tuple(part for case in CASES for part in ("--select", f"{case}/*"))


@pytest.fixture(autouse=True)
def _here(monkeypatch, tmp_path):
    """In an empty folder, as if the versions were those of the shipped limitations."""
    monkeypatch.chdir(tmp_path)
    versions = dict(read_limitations(SHIPPED).versions)
    monkeypatch.setattr(Environment, "describe", lambda self: {"versions": versions})


class Absent(str):
    """A cause that is no failure: something is not there."""


@pytest.fixture
def failing(monkeypatch):
    """The starts of the ids of the cases that fail; an exception ends the run at its case."""
    causes: dict[str, str | BaseException] = {}

    def run(cases, observer, **options):
        for case in cases:
            cause = next((c for start, c in causes.items() if case.id.startswith(start)), None)
            if isinstance(cause, BaseException):
                raise cause
            observer.started(0, case)
            status, stage = (Status.ERROR, Stage.EXPORT) if cause else (Status.PASS, Stage.COMPARE)
            if isinstance(cause, Absent):
                status = Status.UNAVAILABLE
            observer.finished(0, Result(case, case.activation, status, stage, cause or ""))

    monkeypatch.setattr(run_module, "run", run)
    return causes


def test_everything_passes(cli, failing):
    done = cli("all", *SELECT)
    assert done.code == 0, done.err
    assert "as expected: no failure" in done.out
    assert len(read(Path("reports/matrix.json")).results) == len(CASES)


def test_a_new_failure_is_1(cli, failing):
    failing["relu"] = "E: cause"
    done = cli("all", *SELECT)
    assert done.code == 1
    assert "not as expected: 1 new" in done.out
    assert "E: cause" in done.out


@pytest.mark.parametrize(
    ("starts", "code", "words"),
    [
        (("relu",), 0, "as expected: no failure, 1 of 3 unavailable"),
        (("relu", "celu"), 3, "nothing could be checked: 3 of 3 unavailable"),
    ],
)
def test_what_is_unavailable_is_said_and_all_of_it_is_no_success(cli, failing, starts, code, words):
    failing.update(dict.fromkeys(starts, Absent("no module x")))
    done = cli("all", *SELECT)
    assert done.code == code, done.err
    verdict, reason = done.out.partition(words)[1:]
    assert verdict
    assert reason.splitlines()[1] == "unavailable: no module x"


def limitations(*patterns) -> str:
    return "".join(f'[[limitation]]\npattern = "{p}"\nreason = "as ever"\n' for p in patterns)


@pytest.mark.parametrize(
    ("patterns", "code", "words"),
    [
        (["celu/*/torch*/*"], 0, "as expected: every failure is known"),
        (["celu/bare/*"], 1, "not as expected: 1 new"),
        (["celu/*", "relu/bare/torchscript-trace/*"], 1, "not as expected: 1 fixed"),
        (["celu/*", "silu/*"], 0, "as expected"),
        (["celu/*", "sliu/*"], 1, "not as expected: 1 stale"),
        (["celu/*", "silu/*/coreml-fp32/coreml/*"], 0, "as expected"),
    ],
)
def test_the_gate(cli, failing, patterns, code, words):
    failing["celu"] = "E: cause"
    Path("mine.toml").write_text(limitations(*patterns))
    done = cli("all", *SELECT, "--limitations", "mine.toml")
    assert done.code == code, done.out
    assert words in done.out


def test_fixed_and_stale_are_each_said_in_a_line(cli, failing):
    Path("mine.toml").write_text(limitations("relu/*", "sliu/*"))
    lines = [
        line.split() for line in cli("all", *SELECT, "--limitations", "mine.toml").out.splitlines()
    ]
    assert ["sliu/*"] in lines
    assert any(line[:1] == ["relu/bare/torchscript-trace/libtorch/torch-2.13"] for line in lines)


def test_the_raw_world(cli, failing):
    failing["celu"] = "E: cause"
    Path("mine.toml").write_text(limitations("celu/*", "sliu/*"))
    done = cli("all", *SELECT, "--limitations", "mine.toml", "--no-limitations")
    assert done.code == 1
    assert "known: 0, new: 2" in done.out
    assert "stale" not in done.out


def test_an_update_makes_the_next_run_green(cli, failing):
    failing["celu"] = "E: cause"
    done = cli("all", *SELECT, "--update-limitations")
    assert done.code == 0
    assert "limitations.toml" in done.err
    reasons = {one.reason for one in read_limitations(Path("limitations.toml")).limitations}
    assert reasons == {"fails at export: E: cause"}
    assert cli("all", *SELECT, "--limitations", "limitations.toml").code == 0
    assert cli("all", *SELECT).code == 1


def test_an_update_of_a_named_file_keeps_its_reasons(cli, failing):
    failing["celu"] = "E: cause"
    Path("mine.toml").write_text(limitations("celu/bare/torchscript-*/*"))
    assert cli("all", *SELECT, "--update-limitations", "--limitations", "mine.toml").code == 0
    reasons = [one.reason for one in read_limitations(Path("mine.toml")).limitations]
    assert reasons == ["as ever", "fails at export: E: cause"]
    assert not Path("limitations.toml").exists()


def test_an_interrupted_run_keeps_what_is_finished_names_the_rest_and_updates_nothing(cli, failing):
    failing["celu/conv"] = KeyboardInterrupt()
    done = cli("all", *SELECT, "--update-limitations", "-f", "junit")
    assert done.code == 130
    assert "interrupted; 2 of 3 cases are finished and kept" in done.err
    report = read(Path("reports/matrix.json"))
    assert [len(report.results), len(report.unfinished)] == [2, 1]
    assert Xml.parse("reports/junit.xml").getroot().get("errors") == "1"
    assert not Path("limitations.toml").exists()


def test_a_broken_environment_is_3(cli, failing):
    failing["relu"] = EnvironmentBroken("no worker")
    done = cli("all", *SELECT)
    assert done.code == 3
    assert "no worker" in done.err
    assert not Path("reports/matrix.json").exists()


def test_an_older_junit_file_is_not_taken_for_the_outcome(cli, failing):
    assert cli("all", *SELECT, "-f", "junit").code == 0
    failing["relu"] = EnvironmentBroken("no worker")
    assert cli("all", *SELECT, "-f", "junit", "--no-cache").code == 3
    suites = Xml.parse("reports/junit.xml").getroot()
    assert suites.get("errors") == suites.get("tests") == str(len(CASES))


def test_formats_are_written_beside_json(cli, failing):
    assert cli("all", *SELECT, "-f", "markdown", "-f", "badge", "-o", "out").code == 0
    assert sorted(p.name for p in Path("out").iterdir()) == [
        "badge.svg",
        "matrix.json",
        "matrix.md",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "jsn"], "no format 'jsn'; nearest: json"),
        (["--limitations", "none.toml"], "cannot read none.toml"),
        (["--no-limitations", "--update-limitations"], "exclude each other"),
    ],
)
def test_wrong_usage_is_2_and_runs_nothing(cli, arguments, words):
    done = cli("all", *SELECT, *arguments)
    assert done.code == 2
    assert words in done.err
    assert not Path("reports").exists()


def test_the_settings_of_the_project(cli, failing):
    failing["celu"] = "E: cause"
    cases = json.dumps([f"{case}/*" for case in CASES])
    Path("pyproject.toml").write_text(
        f'[tool.exportcheck]\nselect = {cases}\nformat = "csv"\noutput = "out"\n'
        '[[tool.exportcheck.limitation]]\npattern = "celu/*"\nreason = "as ever"\n'
    )
    Path("inner").mkdir()
    assert cli("all").code == 0
    assert {p.name for p in Path("out").iterdir()} == {"matrix.csv", "matrix.json"}
    assert cli("all", "--select", "relu/bare/torch-export/*").code == 0
    assert len(read(Path("out/matrix.json")).results) == 1


def test_a_mistake_in_the_settings_is_2(cli):
    Path("pyproject.toml").write_text("[tool.exportcheck]\ntragets = []")
    done = cli("all", *SELECT)
    assert done.code == 2
    assert "unknown key 'tragets'; nearest: target" in done.err
    assert cli("list", "networks").code == 0


def test_a_value_that_an_option_refuses_is_2(cli):
    Path("pyproject.toml").write_text("[tool.exportcheck]\njobs = 0")
    assert cli("all", *SELECT).code == 2


def test_on_github_it_annotates_and_mutes_everybody_else(cli, failing, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    failing["relu"] = "::error::E: cause"
    done = cli("all", *SELECT)
    lines = done.out.splitlines()
    token = lines[0].removeprefix("::stop-commands::")
    last = lines.index(f"::{token}::")
    commands = [n for n, line in enumerate(lines) if line.lstrip().startswith("::")]
    ours = [lines[n].split("::")[1] for n in commands if n > last]
    assert ours == ["error title=relu%3A error at export", "notice title=exportcheck"]
    assert (tmp_path / "summary.md").read_text("utf-8").startswith("# exportcheck")


def test_other_versions_than_the_pinned_ones_are_said(cli, failing, monkeypatch):
    versions = {**read_limitations(SHIPPED).versions, "onnxruntime": "1.0.0"}
    monkeypatch.setattr(Environment, "describe", lambda self: {"versions": versions})
    done = cli("all", *SELECT)
    assert done.code == 0
    (line,) = [line for line in done.err.splitlines() if "not applied" in line]
    assert "(here 1.0.0)" in line
