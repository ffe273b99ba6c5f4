from __future__ import annotations

import json

import pytest

from exportcheck.cli.console import console
from exportcheck.cli.delivery import (
    checked,
    chosen_by_itself,
    deliver,
    prepare,
    show,
    unheard,
    write,
)
from exportcheck.errors import EnvironmentBroken, UsageError
from exportcheck.render import formats, github, markdown
from exportcheck.render import json as json_format


@pytest.fixture(autouse=True)
def _no_github(monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def test_names_are_checked_and_each_counts_once():
    assert checked(["json", "csv", "json"]) == ["json", "csv"]
    with pytest.raises(UsageError, match="no format 'markdwon'; nearest: markdown"):
        checked(["markdwon"])


@pytest.mark.parametrize(("value", "names"), [("true", ["github"]), ("false", []), (None, [])])
def test_github_is_chosen_by_itself(monkeypatch, value, names):
    if value:
        monkeypatch.setenv("GITHUB_ACTIONS", value)
    assert chosen_by_itself() == names


def test_every_format_has_its_file_but_what_is_spoken(report, tmp_path, capsys):
    deliver(report, list(formats()), tmp_path)
    for form in formats().values():
        if form.FILE_NAME:
            assert (tmp_path / form.FILE_NAME).read_text("utf-8") == form.render(report)
    assert capsys.readouterr().out == github.render(report)
    assert len(list(tmp_path.iterdir())) == len(formats()) - 1


def test_the_step_summary_is_added_to(report, tmp_path, monkeypatch, capsys):
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    deliver(report, ["github"], tmp_path)
    assert path.read_text("utf-8") == "before\n" + markdown.render(report)
    path.write_text("x" * (github.SUMMARY_BYTES - 200))
    deliver(report, ["github"], tmp_path)
    assert path.stat().st_size <= github.SUMMARY_BYTES
    assert "The rest is left out" in path.read_text("utf-8")


def test_a_summary_that_cannot_be_written(report, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(EnvironmentBroken, match="cannot write"):
        deliver(report, ["github"], tmp_path)


@pytest.mark.parametrize("name", ["json", "markdown", "csv"])
def test_one_format_is_printed(report, name, capsys):
    show(report, [name], None, console())
    assert capsys.readouterr().out == formats()[name].render(report)


def test_without_a_format_the_matrix_is_shown(report, capsys):
    show(report, [], None, console())
    assert "9 cases: 3 pass" in capsys.readouterr().out


def test_several_formats_need_a_folder(report, tmp_path):
    with pytest.raises(UsageError, match="--output FOLDER"):
        show(report, ["json", "csv"], None, console())
    show(report, ["json", "csv"], tmp_path / "new", console())
    assert {p.name for p in (tmp_path / "new").iterdir()} == {"matrix.json", "matrix.csv"}


def test_one_format_goes_to_a_file_or_a_folder(report, tmp_path):
    show(report, ["markdown"], tmp_path / "a" / "b.md", console())
    assert (tmp_path / "a" / "b.md").read_text("utf-8") == markdown.render(report)
    (tmp_path / "v1.0").mkdir()
    show(report, ["markdown"], tmp_path / "v1.0", console())
    assert (tmp_path / "v1.0" / "matrix.md").exists()


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    (tmp_path / "x.json").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write(tmp_path / "x.json", "new \ud800")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


def test_a_folder_where_a_file_would_go_is_noticed_beforehand(tmp_path):
    (tmp_path / "matrix.md").mkdir()
    prepare(tmp_path, names=["json", "github"])
    with pytest.raises(UsageError, match=r"matrix.md is a folder, where markdown would be written"):
        prepare(tmp_path, names=["json", "markdown"])


def test_a_folder_that_is_gone(tmp_path):
    with pytest.raises(EnvironmentBroken, match="cannot write"):
        write(tmp_path / "gone" / "x.json", "text")


def test_what_is_printed_meanwhile_is_no_command_to_github(capsys):
    with unheard(["github"]):
        print("::error::not ours")
    first, _, last = capsys.readouterr().out.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert last == f"::{token}::"
    assert len(token) > 32
    with unheard(["json"]):
        print("plain")
    assert capsys.readouterr().out == "plain\n"


def test_json_stays_json_whatever_is_in_it(report):
    assert json.loads(json_format.render(report))["stale"] == list(report.stale)
