from __future__ import annotations

import pytest

from exportcheck.explain.costs import read_costs, to_text
from exportcheck.worker_process import WorkerProcess
from tests.explain.costs import COSTS

MEASURED = {name: value for name, value in COSTS["hardswish"].items() if name != "machine"}


@pytest.fixture
def measuring(monkeypatch):
    """A worker that answers at once; what it was asked is in the list."""
    asked = []

    def cost(self, family, rounds, timeout_s):
        asked.append((family, rounds))
        return MEASURED

    monkeypatch.setattr(WorkerProcess, "__init__", lambda self: None)
    monkeypatch.setattr(WorkerProcess, "close", lambda self: None)
    monkeypatch.setattr(WorkerProcess, "cost", cost)
    return asked


def test_figures_are_shown_and_kept(cli, measuring, tmp_path):
    path = tmp_path / "new" / "cost.json"
    done = cli("cost", "silu", "mish", "--rounds", "50", "--cost", path)
    assert (done.code, done.err) == (0, "")
    assert measuring == [("silu", 50), ("mish", 50)]
    assert "1.80 (1.70–1.90)" in done.out
    assert "RuntimeError: no" in done.out
    assert list(read_costs(path)) == ["mish", "silu"]
    assert read_costs(path)["silu"]["machine"]["threads"] == 1


def test_other_families_stay(cli, measuring, tmp_path):
    path = tmp_path / "cost.json"
    path.write_text(to_text(COSTS), "utf-8")
    cli("cost", "silu", "--cost", path)
    assert read_costs(path)["hardswish"] == COSTS["hardswish"]


def test_all_are_those_with_several_forms(cli, measuring, tmp_path):
    assert cli("cost", "all", "--cost", tmp_path / "cost.json").code == 0
    families = [family for family, _ in measuring]
    assert {"hardswish", "silu", "mish"} <= set(families)
    assert "snake" not in families


def test_no_such_family(cli, measuring, tmp_path):
    done = cli("cost", "hardswich", "--cost", tmp_path / "cost.json")
    assert (done.code, measuring) == (2, [])
    assert "nearest: hardswish" in done.err


def test_a_form_means_its_family(cli, measuring, tmp_path):
    assert cli("cost", "hardswish-relu6", "hardswish", "--cost", tmp_path / "cost.json").code == 0
    assert [family for family, _ in measuring] == ["hardswish"]


def test_an_interrupt_is_one_line(cli, measuring, monkeypatch, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(WorkerProcess, "cost", interrupted)
    done = cli("cost", "hardswish", "--cost", tmp_path / "cost.json")
    assert (done.code, done.err) == (130, "exportcheck: interrupted\n")


@pytest.mark.slow
def test_a_worker_measures_them(cli, tmp_path):
    path = tmp_path / "cost.json"
    assert cli("cost", "relu", "--rounds", "4", "--cost", path).code == 0
    runtimes = {one["runtime"] for one in read_costs(path)["relu"]["measurements"]}
    assert runtimes == {"eager", "libtorch", "onnxruntime"}
