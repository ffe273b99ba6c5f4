"""`exportcheck all --toolchain`: where it runs, and what becomes of one that cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from exportcheck.cli import environments as environments_module
from exportcheck.cli import run as run_module
from exportcheck.cli.environments import asked_environments
from exportcheck.environment import Environment
from exportcheck.errors import EnvironmentBroken, UsageError
from exportcheck.reading import read
from exportcheck.results import Result, Stage, Status
from exportcheck.selection import current_toolchain

HERE = current_toolchain()
SELECT = ("--select", "silu/bare/torchscript-trace/*", "--no-cache")


def old(name):
    version = name.removeprefix("torch-") + ".0"
    return Environment(name, "3.8.18", {"torch": version, "numpy": "1.19.5"}, Path("python"))


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """torch-1.6 and torch-1.7 as if they were there; what runs in each is up to `causes`."""
    monkeypatch.chdir(tmp_path)
    causes: dict[str, Exception] = {}
    monkeypatch.setattr(environments_module, "_installed", lambda: ["torch-1.6", "torch-1.7"])
    monkeypatch.setattr(environments_module, "environment_of", old)

    def run(cases, observer, **options):
        for case in cases:
            if case.toolchain in causes:
                raise causes[case.toolchain]
            observer.started(0, case)
            observer.finished(0, Result(case, "silu", Status.PASS, Stage.COMPARE))

    monkeypatch.setattr(run_module, "run", run)
    return causes


def names(*arguments):
    return [one.toolchain for one in asked_environments(*arguments)]


def test_without_a_name_it_is_this_process_own(installed):
    assert asked_environments((), ()) == [Environment(HERE)]
    assert asked_environments((), ())[0].versions is None


def test_all_is_every_one_that_is_installed(installed):
    assert names(["all"], ()) == [HERE, "torch-1.6", "torch-1.7"]
    assert names(["torch-1.7", "all"], ()) == ["torch-1.7", HERE, "torch-1.6"]
    assert names([HERE], ()) == [HERE]


def test_all_of_none_is_not_silently_this_process_own(installed, monkeypatch):
    monkeypatch.setattr(environments_module, "_installed", list)
    for coremltools in ((), ["4.1"]):
        with pytest.raises(UsageError, match="no toolchain is installed: `exportcheck toolchains"):
            names(["all"], coremltools)


def test_each_coremltools_stands_in_for_that_of_each_toolchain(installed):
    assert names(["torch-1.7"], ["4.1", "5.0"]) == [
        "torch-1.7+coremltools-4.1",
        "torch-1.7+coremltools-5.0",
    ]
    assert names(["all"], ["4.1"]) == ["torch-1.6+coremltools-4.1", "torch-1.7+coremltools-4.1"]
    with pytest.raises(UsageError, match="name that too"):
        names((), ["4.1"])
    with pytest.raises(UsageError, match="this process's own"):
        names([HERE], ["4.1"])


@pytest.mark.parametrize(
    ("options", "code", "complaint"),
    [
        (("--toolchain", "torch-1.77"), 2, "no toolchain 'torch-1.77'; nearest: torch-1.7"),
        (("--toolchain", "torch-1.7"), 3, "exportcheck toolchains install torch-1.7"),
        (("--coremltools", "4.1"), 2, "name that too"),
        (
            ("--toolchain", "torch-1.7", "--coremltools", "4.9"),
            2,
            "no locked coremltools '4.9'; nearest: 4.1",
        ),
    ],
)
def test_what_is_not_there_is_one_line(cli, tmp_path, monkeypatch, options, code, complaint):
    monkeypatch.chdir(tmp_path)
    done = cli("all", *options)
    assert done.code == code
    (line,) = done.err.splitlines()
    assert complaint in line
    assert not Path("reports").exists()


def test_of_several_each_result_says_where_it_ran(cli, installed):
    done = cli("all", *SELECT, "--toolchain", "torch-1.6", "--toolchain", "torch-1.7")
    assert done.code == 0, done.err
    report = read(Path("reports/matrix.json"))
    assert [r.machine for r in report.results] == ["torch-1.6", "torch-1.7"]
    versions = {name: one["versions"]["torch"] for name, one in report.machines.items()}
    assert versions == {"torch-1.6": "1.6.0", "torch-1.7": "1.7.0"}
    assert "not applied" not in done.err
    words = done.out.split()
    assert words.count("torch-1.6") == words.count("torch-1.7") == 1


def test_of_one_the_report_has_its_versions(cli, installed):
    cli("all", *SELECT, "--toolchain", "torch-1.7")
    report = read(Path("reports/matrix.json"))
    assert report.environment["python"] == "3.8.18"
    assert report.environment["versions"]["numpy"] == "1.19.5"
    assert report.environment["versions"]["onnxruntime"] == "missing"
    assert [r.case.toolchain for r in report.results] == ["torch-1.7"]


def test_one_whose_worker_cannot_start_is_unavailable_and_the_others_run(cli, installed):
    installed["torch-1.6"] = EnvironmentBroken("a worker cannot start: libcudart.so.9 is missing")
    done = cli("all", *SELECT, "--toolchain", "torch-1.6", "--toolchain", "torch-1.7")
    assert done.code == 3
    broken, fine = read(Path("reports/matrix.json")).results
    assert (broken.status, broken.stage) == (Status.UNAVAILABLE, Stage.BUILD)
    assert broken.message == "a worker cannot start: libcudart.so.9 is missing"
    assert broken.family == "silu"
    assert fine.status is Status.PASS
    assert done.err.splitlines()[-1] == (
        "exportcheck: torch-1.6: a worker cannot start: libcudart.so.9 is missing: exportcheck "
        "toolchains install torch-1.6; 1 of 2 cases are finished and kept"
    )


def test_where_no_worker_starts_at_all_nothing_is_as_expected(cli, installed):
    installed["torch-1.6"] = EnvironmentBroken("a worker cannot start: libcudart.so.9 is missing")
    done = cli("all", *SELECT, "--toolchain", "torch-1.6")
    assert done.code == 3
    assert "as expected" not in done.out
    assert "nothing could be checked: 1 of 1 unavailable" in done.out
    assert "kept" not in done.err
    assert done.err.rstrip().endswith("toolchains install torch-1.6; no case is finished")


def test_known_failures_are_written_for_one_toolchain_at_a_time(cli, installed):
    done = cli("all", "--toolchain", "all", "--update-limitations")
    assert done.code == 2
    assert "one toolchain at a time" in done.err
