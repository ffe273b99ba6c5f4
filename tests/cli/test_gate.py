from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from exportcheck.cli import gate as module
from exportcheck.cli.gate import DEFAULT_FILE, Gate, gate
from exportcheck.errors import UsageError
from exportcheck.limitations import SHIPPED, Limitation, read_limitations
from exportcheck.limitations_update import to_toml
from exportcheck.results import Report, Result, Stage, Status
from exportcheck.selection import all_cases, current_toolchain
from tests.conftest import result

OWN = (Limitation("relu/*", "mine"),)
FILE = '[[limitation]]\npattern = "relu/conv/*"\nreason = "of the file"\n'


@pytest.fixture(autouse=True)
def pinned(monkeypatch):
    """As if the versions were those of the shipped file."""
    versions = dict(read_limitations(SHIPPED).versions)
    monkeypatch.setattr(module, "describe", lambda: {"versions": versions})
    return versions


@pytest.fixture
def path(tmp_path):
    (tmp_path / "mine.toml").write_text(FILE)
    return tmp_path / "mine.toml"


def failing(activation="relu"):
    return result(activation, "relu", "torch-export", "torch", Status.ERROR, Stage.EXPORT)


def reasons(rules: Gate) -> list[str]:
    """Why each of three failures is known: one of ours, one of the catalogue's, one of nobody's."""
    shipped = read_limitations(SHIPPED).limitations[0]
    activation, network, target, runtime, _ = shipped.pattern.split("/")
    names = {"network": network.replace("*", "bare")}
    catalogued = result(
        activation, "f", target.replace("*", "fp32"), runtime, Status.ERROR, Stage.RUN, **names
    )
    report = rules.judged(Report((failing(), catalogued, failing("silu"))))
    known = [r.known.reason if r.known else "" for r in report.results]
    return ["shipped" if reason == shipped.reason else reason for reason in known]


def test_shipped_ones_and_the_projects_own_are_in_force():
    assert reasons(gate(None, ())) == ["", "shipped", ""]
    assert reasons(gate(None, OWN)) == ["mine", "shipped", ""]


def test_those_of_a_file_come_first(path):
    path.write_text(FILE.replace("conv", "*"))
    assert reasons(gate(path, OWN)) == ["of the file", "shipped", ""]


def test_the_raw_world(path):
    assert reasons(gate(path, OWN, ignore=True)) == ["", "", ""]


def test_shipped_ones_are_for_thepinned_versions(pinned):
    pinned["onnxruntime"] = "1.0.0"
    rules = gate(None, OWN)
    assert reasons(rules) == ["mine", "", ""]
    assert "onnxruntime" in rules.remark
    assert "(here 1.0.0)" in rules.remark
    assert "\n" not in rules.remark


def test_the_shipped_file_by_name_is_in_force_once():
    rules = gate(SHIPPED, ())
    assert rules.shipped == ()
    assert reasons(rules) == ["", "shipped", ""]


def test_a_file_for_other_versions_is_not_in_force(path):
    path.write_text(f'[versions]\ntorch = "<1"\n{FILE}')
    rules = gate(path, ())
    assert rules.file.limitations == ()
    assert "mine.toml is for torch <1 (here 2.13.0): not applied" in rules.remark


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        gate(tmp_path / "none.toml", ())
    assert gate(tmp_path / "none.toml", (), drafts=True).file.limitations == ()


def test_an_update_and_the_raw_world_exclude_each_other():
    with pytest.raises(UsageError, match="exclude each other"):
        gate(None, (), ignore=True, drafts=True)


def test_an_update_keeps_what_is_in_the_default_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    DEFAULT_FILE.write_text(FILE)
    rules = gate(None, (), drafts=True)
    assert rules.path == DEFAULT_FILE
    assert rules.file.limitations[0].reason == "of the file"


def test_an_update_makes_the_run_as_expected(path):
    report = Report((failing("celu"), failing("silu")), {"versions": {}})
    rules = gate(path, (), drafts=True).updated(report, current_toolchain())
    assert rules.judged(report).green
    assert [one.pattern.split("/")[0] for one in rules.file.limitations] == ["relu", "silu", "celu"]


def test_a_file_may_stand_alone(path):
    path.write_text(f"alone = true\n{FILE.replace('conv', '*')}")
    assert reasons(gate(path, OWN)) == ["of the file", "", ""]


def test_an_update_where_a_shipped_limitation_does_not_hold_stands_alone(path):
    """And keeps what the others say."""
    first, second = read_limitations(SHIPPED).limitations[:2]
    passing = Report(tuple(matching(first, Status.PASS)), {"versions": {}})
    failing = Report(tuple(matching(second, Status.ERROR)), {"versions": {}})
    report = Report((*passing.results, *failing.results))
    rules = gate(path, (), drafts=True)
    assert rules.judged(report).fixed
    after = rules.updated(report, current_toolchain())
    assert after.file.alone
    assert after.judged(report).green
    assert second in after.file.limitations
    assert first not in after.file.limitations
    path.write_text(to_toml(after.file))
    assert gate(path, ()).judged(report).green


def matching(limitation, status):
    """A result for every case that a limitation names."""
    stage = Stage.COMPARE if status is Status.PASS else Stage.EXPORT
    for case in all_cases(current_toolchain()):
        if fnmatchcase(case.id, limitation.pattern):
            yield Result(case, case.activation, status, stage)


def test_a_pattern_for_another_machine_is_not_stale(path):
    path.write_text(FILE.replace("relu/conv/*", "relu/*/coreml-fp32/coreml/*"))
    assert gate(path, ()).judged(Report(())).green
    path.write_text(FILE.replace("relu/conv/*", "relu/*/coreml-fp32/onnxruntime/*"))
    assert gate(path, ()).judged(Report(())).stale == ("relu/*/coreml-fp32/onnxruntime/*",)
