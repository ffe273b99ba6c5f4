from __future__ import annotations

import pytest

from exportcheck.explain.costs import to_text as costs_text
from exportcheck.history.storing import to_text
from tests.explain.costs import COSTS
from tests.history.runs import REFUSED, history


@pytest.fixture
def measured(tmp_path):
    """The options that name a history and costs."""
    history_file, cost_file = tmp_path / "history.json", tmp_path / "cost.json"
    history_file.write_text(to_text(history()), "utf-8")
    cost_file.write_text(costs_text(COSTS), "utf-8")
    return ("--history", history_file, "--cost", cost_file)


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    """So that no sentence is broken into lines."""
    monkeypatch.setenv("COLUMNS", "200")


def test_a_family(cli, measured):
    done = cli("explain", "hardswish", *measured)
    assert (done.code, done.err) == (0, "")
    assert REFUSED[2] in done.out
    assert "1.80 (1.70–1.90)" in done.out
    assert "x*min(max(x+3,0),6)/6" in done.out


def test_a_form_means_its_family(cli, measured):
    assert cli("explain", "hardswish-relu6", *measured).out == (
        cli("explain", "hardswish", *measured).out
    )


def test_a_family_without_history(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli("explain", "snake")
    assert done.code == 0
    assert "Not known" in done.out
    assert done.err.splitlines() == [
        "exportcheck: reports/history.json does not exist here; --history FILE names another",
        "exportcheck: reports/cost.json does not exist here; --cost FILE names another",
    ]
    assert "History" not in done.out


@pytest.mark.parametrize(
    ("ending", "form"), [("md", "markdown"), ("html", "html"), ("txt", "terminal")]
)
def test_a_file_is_in_the_format_that_it_ends_in(cli, measured, tmp_path, ending, form):
    named, unnamed = tmp_path / "named", tmp_path / f"unnamed.{ending}"
    cli("explain", "hardswish", "-f", form, "-o", named, *measured)
    done = cli("explain", "hardswish", "-o", unnamed, *measured)
    assert (done.code, done.out) == (0, f"{form} in {unnamed}\n")
    assert unnamed.read_text("utf-8") == named.read_text("utf-8")


def test_files(cli, measured, tmp_path):
    for form, ending, start in (
        ("markdown", "md", "# hardswish"),
        ("html", "html", "<!doctype html>"),
        ("terminal", "txt", "hardswish  x*min"),
    ):
        path = tmp_path / "out" / f"hardswish.{ending}"
        assert cli("explain", "hardswish", "-f", form, "-o", path, *measured).code == 0
        assert path.read_text("utf-8").startswith(start)
    assert "\x1b" not in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("hardswich",), "no family 'hardswich'; nearest: hardswish"),
        (("nonsense",), "no family 'nonsense' (all: exportcheck list activations)"),
        (("hardswish", "-f", "pdf"), "no format 'pdf'"),
        (("hardswish", "--history", "none.json"), "cannot read none.json"),
        (("hardswish", "--cost", "none.json"), "cannot read none.json"),
        (("hardswish", "-o", "."), "is a folder"),
    ],
)
def test_wrong_usage(cli, arguments, complaint):
    done = cli("explain", *arguments)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert complaint in done.err
